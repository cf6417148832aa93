/**
 * A crowd: processes that write one file, and processes that watch it. What
 * each watcher saw is compared with the file's change log, and that with what
 * each writer says it did.
 *
 * @module
 */
import { assertEquals, fail } from "@std/assert";
import { openStore } from "../../../mod.ts";
import type { OwnChange } from "./account.ts";
import type { TestDriver } from "../drivers.ts";
import {
  type Hearing,
  type Peer,
  startSqlPeer,
  startStorePeer,
} from "./peer.ts";
import type { StoreFile } from "./places.ts";
import { readRawFile } from "../raw_file.ts";
import type { RecordArgs, WatchRecord } from "./store_peer.ts";
import { type TempDir, tempDir } from "../temp_dir.ts";
import { told } from "../watches/telling.ts";
import {
  assertWatchGuarantees,
  type Change,
  type Session,
} from "../watches/watch_validators.ts";

/** What sort of crowd. */
export interface CrowdOptions {
  /** The drivers that the processes take by turns. */
  readonly drivers: readonly TestDriver[];
  /** What the processes hear of the operating system. */
  readonly hearing: Hearing;
  readonly wal: boolean;
  /** How many changes all writers make together, and a few more. */
  readonly changes: number;
}

const WRITERS = ["anna", "bert", "cleo"];
const SQL_WRITER = "dora";
const KINDS = ["users", "jobs", "rare"];
/** Longer than any test's. */
const HISTORY = 1_000_000;

/** Runs a crowd of 4 writers and 4 watchers, and asserts that each watcher saw every change once, in order. */
export async function assertCrowdSeesAll(options: CrowdOptions): Promise<void> {
  await using dir = await tempDir();
  await using crowd = new Crowd(dir, options);
  await crowd.fill("start");

  const users = await crowd.watch("a", [{ kind: "users" }, { kind: "rare" }]);
  const jobs = await crowd.watch("b", [{ kind: "jobs" }]);
  const first = await crowd.watch(
    "c1",
    [{ kind: "users" }],
    Math.floor(options.changes / 20),
  );
  const writers = crowd.write();
  await first.recorded;
  const [begun] = crowd.recordOf("c1");
  const after = begun.items.at(-1)!.cursor;
  const rest = await crowd.watch("c2", [{ kind: "users", options: { after } }]);
  const whole = { initial: true, bookmarks: true, previous: true };
  const late = await crowd.watch(
    "d",
    KINDS.map((kind) => ({ kind, options: whole })),
  );
  await Promise.all(writers);
  await crowd.fill("end");
  for (const watcher of [users, jobs, rest, late]) await watcher.recorded;

  const changes = crowd.log();
  assertLogTellsAccounts(changes, crowd);
  // Those that began before the writers.
  const start = KINDS.length;
  const toEnd = (record: WatchRecord, start?: number): Session => {
    const { kind, options = {}, items } = record;
    const until = changes.findLast((change) => change.kind === kind)!.revision;
    return { kind, options, items, start, until };
  };
  const watched: Record<string, Session[]> = {
    "users": [toEnd(crowd.recordOf("a")[0], start)],
    "a quiet kind": [toEnd(crowd.recordOf("a")[1], start)],
    "jobs": [toEnd(crowd.recordOf("b")[0], start)],
    "users, resumed": [
      { kind: "users", options: {}, items: begun.items, start },
      toEnd(crowd.recordOf("c2")[0]),
    ],
  };
  for (const record of crowd.recordOf("d")) {
    watched[`${record.kind}, replayed`] = [toEnd(record)];
  }
  const written = { changes, cursors: new Map<number, string>() };
  for (const [name, sessions] of Object.entries(watched)) {
    assertWatchGuarantees(written, { name, sessions });
  }
}

/** The processes of a crowd; `await using` ends them. */
class Crowd implements AsyncDisposable {
  readonly #dir: TempDir;
  readonly #options: CrowdOptions;
  readonly #path: string;
  readonly #peers: Peer[] = [];

  constructor(dir: TempDir, options: CrowdOptions) {
    this.#dir = dir;
    this.#options = options;
    this.#path = dir.file("app.db");
  }

  /** Writes a key to each kind, from this process. */
  async fill(key: string): Promise<void> {
    await using store = await openStore({
      path: this.#path,
      driver: "builtin",
      wal: this.#options.wal,
      history: HISTORY,
    });
    for (const kind of KINDS) await store.set(kind, key, key);
  }

  /** Starts a watcher; resolves when it watches. */
  async watch(
    name: string,
    watches: RecordArgs["watches"],
    count?: number,
  ): Promise<{ recorded: Promise<void> }> {
    const record = this.#dir.file(`${name}.json`);
    const args = { ...this.#file(), watches, record, count };
    const peer = this.#start("recordWatches", args, record);
    assertEquals(await peer.next(), "ready");
    return { recorded: done(peer) };
  }

  /** Starts the writers; each resolves when it is done. */
  write(): Promise<void>[] {
    const changes = Math.ceil(this.#options.changes / (WRITERS.length + 1));
    const peers = WRITERS.map((writer) => {
      const account = this.#dir.file(`${writer}.json`);
      const args = { ...this.#file(), writer, changes, account };
      return this.#start("writeMuch", args, account);
    });
    const sqlPeer = startSqlPeer("writeMuchSql", {
      path: this.#path,
      writer: SQL_WRITER,
      changes,
      account: this.#dir.file(`${SQL_WRITER}.json`),
    });
    this.#peers.push(sqlPeer);
    return [...peers, sqlPeer].map(done);
  }

  recordOf(watcher: string): WatchRecord[] {
    return this.#read(watcher);
  }

  accountOf(writer: string): OwnChange[] {
    return this.#read(writer);
  }

  /** The file's change log. */
  log(): Change[] {
    return readRawFile(this.#path).changes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) await peer[Symbol.asyncDispose]();
  }

  #file(): StoreFile {
    const { drivers, wal } = this.#options;
    const driver = drivers[this.#peers.length % drivers.length].name;
    return { path: this.#path, driver, wal, history: HISTORY };
  }

  #start<Name extends "recordWatches" | "writeMuch">(
    name: Name,
    args: Parameters<typeof startStorePeer<Name>>[1],
    output: string,
  ): Peer {
    const { hearing } = this.#options;
    const files = hearing === "denied"
      ? ["", "-wal", "-shm", "-journal"].map((end) => this.#path + end)
      : undefined;
    files?.push(output);
    const peer = startStorePeer(name, args, { hearing, files });
    this.#peers.push(peer);
    return peer;
  }

  #read<T>(name: string): T {
    return JSON.parse(Deno.readTextFileSync(this.#dir.file(`${name}.json`)));
  }
}

async function done(peer: Peer): Promise<void> {
  assertEquals(await peer.next(), "done");
  await peer.exited();
}

/** Asserts that the log has every change that a writer made, in its order, and no other. */
function assertLogTellsAccounts(log: Change[], crowd: Crowd): void {
  const changes = new Map<string, Change[]>();
  log.forEach((change, i) => {
    assertEquals(change.revision, i + 1, "the log has every revision");
    const [owner] = change.key.split("/");
    const writer = owner === "shared" ? JSON.parse(change.value).of : owner;
    const others = changes.get(writer) ?? [];
    changes.set(writer, others);
    others.push(change);
  });
  assertEquals(
    [...changes.keys()].sort(),
    [...WRITERS, SQL_WRITER, "start", "end"].sort(),
  );
  for (const writer of [...WRITERS, SQL_WRITER]) {
    const logged = changes.get(writer)!;
    const account = crowd.accountOf(writer);
    assertSame(
      logged.map((change) => told(change, change.value)),
      account.map((change) => change.told),
      `the log of what ${writer} wrote`,
    );
    account.forEach(({ revision }, i) => {
      assertEquals(revision ?? logged[i].revision, logged[i].revision);
    });
  }
}

/** Asserts that two long lists are the same; else tells where they part. */
function assertSame(actual: string[], expected: string[], what: string): void {
  const length = Math.max(actual.length, expected.length);
  for (let i = 0; i < length; i++) {
    if (actual[i] === expected[i]) continue;
    fail(
      `${what}: item ${i} of ${actual.length} (${expected.length} expected) is ${
        Deno.inspect(actual.slice(i, i + 3))
      }, expected ${Deno.inspect(expected.slice(i, i + 3))}`,
    );
  }
}
