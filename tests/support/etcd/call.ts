/**
 * Calls of etcd's JSON gateway, without the engine.
 *
 * @module
 */

/** Where a call goes. */
export interface CallTarget {
  /** The address for clients. */
  readonly url: string;
  /** If the server has TLS: the file of the authority that signed its certificate. */
  readonly authority?: string;
}

/** How a call is made. */
export interface CallOptions {
  /** The token of a user. */
  readonly token?: string;
  /** How long it may take, in ms. @default {5000} */
  readonly timeout?: number;
}

/** Makes one call. Rejects with what the server says if it refuses. */
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

/** Text as the gateway takes keys and values. */
export function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

/** What a member says of itself. */
export interface Status {
  readonly memberId: string;
  /** The id of the leader that it follows; `0` if it knows none. */
  readonly leader: string;
  readonly term: number;
  readonly revision: number;
}

/** Asks a member for its state. Its own answer: it needs no other member. */
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

/** Removes the past before a revision; by default, before the newest. */
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

/** Gives the space of what was compacted back to the disk. */
export async function defragment(target: CallTarget): Promise<void> {
  await callEtcd(target, "/v3/maintenance/defragment", {}, { timeout: 30_000 });
}

/** Ends every alarm, so that writes are taken again. */
export async function disarm(target: CallTarget): Promise<void> {
  const { alarms = [] } = await callEtcd<
    { alarms?: { memberID: string; alarm: string }[] }
  >(target, "/v3/maintenance/alarm", { action: "GET" });
  for (const alarm of alarms) {
    const action = "DEACTIVATE";
    await callEtcd(target, "/v3/maintenance/alarm", { action, ...alarm });
  }
}
