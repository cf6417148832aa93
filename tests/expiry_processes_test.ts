/**
 * Expiry across processes: every process sees each entry expire once, in the
 * same order, whoever removes it, and whoever is killed meanwhile. And what
 * expiry does to a process that has nothing else to do.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type SqliteStore, StoreReadOnlyError } from "../mod.ts";
import type { Connection } from "../src/sqlite/driver/driver.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  drivers,
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import {
  type Seen,
  STOPPED,
  type ToldChange,
} from "./support/processes/expiry_peer.ts";
import { type Peer, startExpiryPeer } from "./support/processes/peer.ts";
import { tempDir } from "./support/temp_dir.ts";

const HOUR = 3_600_000;

const available = drivers.filter(({ unavailable }) => !unavailable);

/** The log of the kind "k", as peers tell it. */
function logOf(db: Connection): ToldChange[] {
  return db.prepare(
    "SELECT revision, type, key, version FROM zestor_changes WHERE kind = 'k' ORDER BY revision",
  ).all().map(({ revision, type, key, version }) => [
    revision as number,
    `${type} k/${key}@${version}`,
  ]);
}

/** One of those who write, watch and remove: when its process is killed, a new one goes on. */
class Member {
  readonly name: string;
  readonly told: ToldChange[] = [];
  readonly #file: { path: string; wal: boolean };
  readonly #driver: TestDriver;
  readonly #hearing: "notified" | "deaf";
  #peer!: Peer;
  #following!: Promise<void>;
  #lives = 0;
  #awaited = Infinity;
  #reached = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();

  constructor(file: { path: string; wal: boolean }, number: number) {
    this.name = "abc"[number];
    this.#file = file;
    this.#driver = available[number % available.length];
    this.#hearing = number === 1 ? "deaf" : "notified";
  }

  /** Starts a process that goes on after what the last one told. */
  start(): void {
    this.#peer = startExpiryPeer("expireUntilKilled", {
      ...this.#file,
      driver: this.#driver.name,
      writer: `${this.name}${++this.#lives}`,
      after: this.told.at(-1)?.[0] ?? 0,
    }, { hearing: this.#hearing });
    this.#following = this.#follow(this.#peer);
  }

  async #follow(peer: Peer): Promise<void> {
    for await (const change of peer.messages<ToldChange>()) {
      if (change[0] === STOPPED[0]) {
        this.#stopped.resolve();
        continue;
      }
      this.told.push(change);
      if (change[0] >= this.#awaited) this.#reached.resolve();
    }
    this.#reached.reject(new Error(`${this.name} was killed`));
  }

  /** Resolves when it has told of a change of this revision, or a later one. */
  async reaches(revision: number): Promise<void> {
    this.#reached = Promise.withResolvers();
    this.#awaited = revision;
    if ((this.told.at(-1)?.[0] ?? 0) < revision) await this.#reached.promise;
    this.#reached.promise.catch(() => {});
  }

  /** Resolves when everything that it writes is there. */
  async stop(): Promise<void> {
    await this.#peer.say("stop");
    await this.#stopped.promise;
  }

  async kill(): Promise<void> {
    this.#reached.promise.catch(() => {});
    await this.#peer.kill();
    await this.#following;
    await this.#peer[Symbol.asyncDispose]();
  }
}

/** Resolves when no entry of the kind "k" is left, of those that were written before the call. */
async function untilAllAreRemoved(
  store: SqliteStore,
  db: Connection,
): Promise<void> {
  const rows = db.prepare("SELECT 1 FROM zestor_kv WHERE kind = 'k' LIMIT 1");
  const events = store.watch("k", { types: ["delete"] }).getReader();
  // The watch begins between the writes around it, which may have to wait for
  // the lock: what is removed before that it does not tell.
  await store.set("other", "a", 1);
  while (rows.get()) await events.read();
  await events.cancel();
}

/** With a rollback journal each takes its time. */
const CHANGES = [{ wal: true, each: 300 }, { wal: false, each: 100 }];

for (const { wal, each } of CHANGES) {
  Deno.test(`three processes see each entry expire once, in one order, while some are killed, wal: ${wal}`, async () => {
    await using dir = await tempDir();
    const file = { path: dir.file("app.db"), wal };
    const history = 1_000_000;
    await using store = await openOn(available[0], { ...file, history });
    using db = await connect(available[0], fileAt(file.path));
    db.exec("PRAGMA busy_timeout = 30000");
    const members = [0, 1, 2].map((number) => new Member(file, number));
    await using _ = {
      async [Symbol.asyncDispose]() {
        for (const member of members) await member.kill();
      },
    };
    for (const member of members) member.start();
    for (let round = 0; round < 6; round++) {
      const killed = members[round % 3];
      await killed.reaches((killed.told.at(-1)?.[0] ?? 0) + each);
      await killed.kill();
      killed.start();
    }
    for (const member of members) {
      await member.reaches(members[0].told.at(-1)![0] + 100);
      await member.stop();
    }
    await untilAllAreRemoved(store, db);
    const log = logOf(db);
    const [head] = log.at(-1)!;
    for (const member of members) {
      await member.reaches(head);
      assertEquals(member.told, log, member.name);
    }
    // Each entry came once, and expired once.
    const changes = new Map<string, string[]>();
    for (const [, change] of log) {
      const [type, entry] = change.split(" ");
      changes.set(entry, [...changes.get(entry) ?? [], type]);
    }
    assert(changes.size > 3 * each, `${changes.size} entries`);
    for (const [entry, types] of changes) {
      assertEquals(types, ["create", "expire"], entry);
    }
  });
}

testOnEachDriver(
  "a read-only process sees expiries, and gets their events when a writer opens",
  async (driver) => {
    await using dir = await tempDir();
    const file = { path: dir.file("app.db"), driver: driver.name };
    await using script = startExpiryPeer("setAndLeave", {
      ...file,
      entries: { a: HOUR, b: 1_500 },
    });
    await script.exited();
    await using reader = startExpiryPeer("readOnly", { ...file, key: "b" });
    assertEquals(await reader.next(), "open");
    assertEquals(await reader.next<Seen>(), {
      get: null,
      keys: ["a"],
      count: 1,
      list: [["a", 1]],
      kinds: ["k"],
    });
    using db = await connect(driver, fileAt(file.path));
    // Nobody has removed it.
    assertEquals(logOf(db), [[1, "create k/a@1"], [2, "create k/b@1"]]);
    await using _store = await openOn(driver, { path: file.path });
    assertEquals(await reader.next<ToldChange>(), [3, "expire k/b@1"]);
  },
);

testOnEachDriver(
  "a process that only reads has no timer, and writes nothing",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      await using store = await openOn(driver, { path });
      await store.set("k", "a", 1, { expireIn: 1 });
    }
    const before = await Deno.readFile(path);
    const timers: number[] = [];
    const { setTimeout } = globalThis;
    await using store = await openOn(driver, { path: `file:${path}?mode=ro` });
    globalThis.setTimeout = ((work: () => void, ms: number) => {
      timers.push(ms);
      return setTimeout(work, ms);
    }) as typeof setTimeout;
    try {
      while (await store.has("k", "a"));
      let error: unknown;
      await store.set("k", "b", 1).catch((reason) => error = reason);
      assert(error instanceof StoreReadOnlyError);
    } finally {
      globalThis.setTimeout = setTimeout;
    }
    assertEquals(timers, []);
    assertEquals(await Deno.readFile(path), before);
  },
);

testOnEachDriver(
  "a running process removes the expired entries of a script",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    const events = store.watch("k").getReader();
    await using script = startExpiryPeer("setAndLeave", {
      path,
      driver: driver.name,
      entries: { a: 1_000, b: HOUR },
    });
    await script.exited();
    const told: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const { value } = await events.read();
      told.push([value!.type, value!.key]);
    }
    assertEquals(told, [["create", "a"], ["create", "b"], ["delete", "a"]]);
    await events.cancel();
  },
);

testOnEachDriver(
  "an open store with entries that expire lets its process exit",
  async (driver) => {
    await using dir = await tempDir();
    await using script = startExpiryPeer("setAndLeave", {
      path: dir.file("app.db"),
      driver: driver.name,
      entries: { a: HOUR, b: 30 },
      awaits: "b",
    });
    await script.exited();
  },
);

testOnEachDriver(
  "an open store that cannot remove expired entries lets its process exit",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      await using store = await openOn(driver, { path });
      await store.set("k", "a", 1);
    }
    using db = await connect(driver, fileAt(path));
    db.exec("UPDATE zestor_kv SET expires_at = 1; BEGIN IMMEDIATE");
    await using peer = startExpiryPeer("openAndLeave", {
      path,
      driver: driver.name,
    });
    assertEquals(await peer.next(), "open");
    await peer.hangUp();
    await peer.exited();
    assertEquals(logOf(db).length, 2);
    db.exec("ROLLBACK");
  },
);
