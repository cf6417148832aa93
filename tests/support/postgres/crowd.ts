/**
 * A crowd: processes that write one schema, by stores and by plain SQL, and
 * processes that watch it. The log is compared with what each writer says it
 * did, the entries with the log, and what each watcher saw with the log.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openPostgresStore } from "../../../src/postgres/open_postgres_store.ts";
import {
  type Peer,
  startPostgresPeer,
  startStorePeer,
} from "../processes/peer.ts";
import type { OwnChanges } from "../processes/postgres_peer.ts";
import type { WatchRecord } from "../processes/store_peer.ts";
import { type TempDir, tempDir } from "../temp_dir.ts";
import {
  assertWatchGuarantees,
  type Change,
} from "../watches/watch_validators.ts";
import { queryAt } from "./query.ts";
import { type RawSchema, readRawSchema } from "./raw_schema.ts";
import { until } from "./until.ts";

/** Where a crowd is, and how much it does. */
export interface CrowdOptions {
  /** The server. */
  readonly url: string;
  /** How the second watcher reaches it: so that no notification arrives. */
  readonly unheard: { readonly url?: string; readonly listenUrl?: string };
  readonly schema: string;
  /** How many calls each process makes. */
  readonly calls: number;
}

/** What a crowd did. */
export interface CrowdReport {
  changes: number;
  expired: number;
  counted: number;
  transactions: number;
}

const WRITERS = ["anna", "bert", "cleo"];
const SQL_WRITER = "dora";
const KINDS = ["counter", "jobs", "leases", "users"];

/** Lets a crowd write and watch, and asserts that nothing is lost, doubled or invented. */
export async function assertCrowdKeepsContract(
  { url, unheard, schema, calls }: CrowdOptions,
): Promise<CrowdReport> {
  await using dir = await tempDir();
  await using peers = new AsyncDisposableStack();
  await using store = await openPostgresStore<Record<string, unknown>>({
    url,
    schema,
    history: 1_000_000,
  });
  const start = (peer: Peer) => peers.use(peer);
  const watch = async (name: string, reach: object, options: object) => {
    const record = dir.file(`${name}.json`);
    // A replay leaves out what has expired, which the log cannot tell.
    const watches = KINDS.map((kind) => ({
      kind,
      options: kind === "leases" ? { ...options, initial: false } : options,
    }));
    const place = { url, schema, history: 1_000_000, ...reach };
    const peer = start(startStorePeer("recordWatches", {
      ...place,
      watches,
      record,
    }));
    assertEquals(await peer.next(), "ready");
    return peer;
  };

  for (const kind of KINDS) await store.set(kind, "start", 0);
  const hearing = await watch("hearing", {}, { bookmarks: true });
  const args = (writer: string) => ({
    url,
    schema,
    writer,
    calls,
    account: dir.file(`${writer}.json`),
  });
  const writers = WRITERS.map((writer) =>
    start(startPostgresPeer("writeByCallers", args(writer)))
  );
  const sql = { ...args(SQL_WRITER), calls: Math.ceil(calls / 10) };
  writers.push(start(startPostgresPeer("writeByStatements", sql)));
  const late = { initial: true, bookmarks: true, previous: true };
  const polling = await watch("polling", unheard, late);
  for (const writer of writers) await done(writer);
  await until("everything has expired", async () => {
    const [{ left }] = await queryAt<{ left: number }>(
      url,
      `SELECT count(expires_at)::int AS left FROM ${schema}.zestor_kv`,
    );
    return left === 0;
  });
  for (const kind of KINDS) await store.set(kind, "end", 0);
  await done(hearing);
  await done(polling);
  assertEquals(await store.verify(), []);

  const raw = await readRawSchema(url, schema);
  const own = [...WRITERS, SQL_WRITER].flatMap((writer) =>
    read<OwnChanges[]>(dir, writer)
  );
  assertLogIsSound(raw);
  const commits = assertLogIsOwn(raw, own);
  const { changes } = raw;
  const cursors = new Map<number, string>();
  for (const name of ["hearing", "polling"]) {
    for (
      const { kind, options = {}, items } of read<WatchRecord[]>(dir, name)
    ) {
      const end = changes.findLast((change) => change.kind === kind)!.revision;
      const start = name === "hearing" ? KINDS.length : undefined;
      assertWatchGuarantees({ changes, commits, cursors }, {
        name: `${kind}, ${name}`,
        sessions: [{ kind, options, items, start, until: end }],
      });
    }
  }
  const counted = assertCounted(changes);
  return {
    changes: changes.length,
    expired: raw.expired.length,
    counted,
    transactions: own.length,
  };
}

async function done(peer: Peer): Promise<void> {
  assertEquals(await peer.next(), "done");
  await peer.exited();
}

function read<T>(dir: TempDir, name: string): T {
  return JSON.parse(Deno.readTextFileSync(dir.file(`${name}.json`)));
}

/** Asserts that the log has no gap, that its versions follow each other, and that it leads to the entries. */
function assertLogIsSound({ head, changes, entries }: RawSchema): void {
  assertEquals(changes.length, head);
  const live = new Map<string, Change>();
  changes.forEach((change, i) => {
    const { revision, kind, key, type, version, value } = change;
    assertEquals(revision, i + 1, "the log has every revision");
    assert(!value.includes("takenBack"), `${revision} was rolled back`);
    const before = live.get(`${kind}/${key}`);
    const expected = type === "create"
      ? [undefined, 1]
      : [before?.version, before!.version + (type === "update" ? 1 : 0)];
    assertEquals([before?.version, version], expected, `change ${revision}`);
    if (type === "delete") {
      assertEquals(value, before!.value, `change ${revision}`);
      live.delete(`${kind}/${key}`);
    } else live.set(`${kind}/${key}`, change);
  });
  const expected = [...live.values()].map(({ kind, key, version, value }) => ({
    kind,
    key,
    version,
    value,
  }));
  const byName = (a: { kind: string; key: string }, b: typeof a) =>
    a.kind === b.kind ? (a.key < b.key ? -1 : 1) : a.kind < b.kind ? -1 : 1;
  assertEquals(entries, expected.sort(byName), "the entries are the log's");
}

/**
 * Asserts that each change is that of one writer, as it was told, or the end of
 * an entry that expired. Gives the revisions between two writes.
 */
function assertLogIsOwn(
  { changes, expired }: RawSchema,
  own: readonly OwnChanges[],
): Set<number> {
  const commits = new Set(changes.map(({ revision }) => revision));
  const left = new Set(commits);
  for (const { first, last, told } of own) {
    for (let revision = first; revision <= last; revision++) {
      assert(left.delete(revision), `change ${revision} has two writers`);
      if (revision < last) commits.delete(revision);
    }
    for (const { value, ...change } of told) {
      const { value: text, ...found } = changes[change.revision - 1];
      assertEquals({ ...found, value: JSON.parse(text) }, { ...change, value });
    }
  }
  for (const revision of expired) assert(left.delete(revision));
  const others = [...left].map((revision) => changes[revision - 1]);
  assertEquals(
    others.map(({ key }) => key).sort(),
    KINDS.flatMap(() => ["start", "end"]).sort(),
    "nobody else changed anything",
  );
  return commits;
}

/** Asserts that the counter was counted by one, again and again; gives how often. */
function assertCounted(changes: readonly Change[]): number {
  const counts = changes.filter(({ kind, key }) =>
    kind === "counter" && key === "n"
  ).map(({ value }) => Number(value));
  assertEquals(counts, counts.map((_, i) => i + 1));
  return counts.length;
}
