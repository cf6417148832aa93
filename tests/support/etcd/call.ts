/**
 * Calls etcd's JSON gateway without the engine.
 *
 * @module
 */

/** The server of a call. */
export interface CallTarget {
  /** The address for clients. */
  readonly url: string;
  /** The file of the authority that signed the server's certificate; absent without TLS. */
  readonly authority?: string;
}

/** Options of a call. */
export interface CallOptions {
  /** The token of a user. */
  readonly token?: string;
  /** How long it may take, in ms. @default {5000} */
  readonly timeout?: number;
}

/** Makes one call. Rejects with the server's message if the server refuses. */
export async function callEtcd<Answer = Record<string, unknown>>(
  { url, authority }: CallTarget,
  path: string,
  body: object = {},
  { token, timeout = 5_000 }: CallOptions = {},
): Promise<Answer> {
  // A client with a pool would keep connections past the test.
  using client = authority === undefined ? undefined : Deno.createHttpClient({
    caCerts: [await Deno.readTextFile(authority)],
  });
  const response = await fetch(new URL(path, url), {
    method: "POST",
    body: JSON.stringify(body),
    headers: token === undefined ? {} : { authorization: token },
    signal: AbortSignal.timeout(timeout),
    client,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot call ${path}: ${text}`);
  return JSON.parse(text);
}

/** Encodes the text of a key or value as base64. */
export function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

/** The status of a member. */
export interface Status {
  readonly memberId: string;
  /** The id of the leader that it follows; `0` if it does not know a leader. */
  readonly leader: string;
  readonly term: number;
  readonly revision: number;
}

/** Asks a member for its status. The member answers without the others. */
export async function statusOf(target: CallTarget): Promise<Status> {
  const { header, leader = "0", raftTerm } = await callEtcd<{
    header: { member_id: string; revision?: string };
    leader?: string;
    raftTerm: string;
  }>(target, "/v3/maintenance/status", {}, { timeout: 1_000 });
  return {
    memberId: header.member_id,
    leader,
    term: Number(raftTerm),
    revision: Number(header.revision ?? 0),
  };
}

/** Compacts the history before a revision; by default, before the newest one. */
export async function compact(
  target: CallTarget,
  revision?: number,
): Promise<void> {
  revision ??= await headOf(target);
  await callEtcd(target, "/v3/kv/compaction", { revision, physical: true });
}

/** The newest revision. */
export async function headOf(target: CallTarget): Promise<number> {
  const { header } = await callEtcd<{ header: { revision: string } }>(
    target,
    "/v3/kv/range",
    { key: base64("\0"), count_only: true },
  );
  return Number(header.revision);
}

/** Frees the disk space of the compacted history. */
export async function defragment(target: CallTarget): Promise<void> {
  await callEtcd(target, "/v3/maintenance/defragment", {}, { timeout: 30_000 });
}

/** Ends every alarm, so that the server accepts writes again. */
export async function disarm(target: CallTarget): Promise<void> {
  const { alarms = [] } = await callEtcd<
    { alarms?: { memberID: string; alarm: string }[] }
  >(target, "/v3/maintenance/alarm", { action: "GET" });
  for (const alarm of alarms) {
    const action = "DEACTIVATE";
    await callEtcd(target, "/v3/maintenance/alarm", { action, ...alarm });
  }
}
