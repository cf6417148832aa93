/**
 * `verify()` while a store is used: what goes on meanwhile, what waits, and what
 * it leaves behind.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  openStore,
  type SqliteStore,
  StoreClosedError,
  StoreError,
  type StoreOptions,
  type WatchEvent,
} from "../mod.ts";
import { SqlError } from "../src/sqlite/driver/mod.ts";
import { openMemoryStore } from "../src/memory/open_memory_store.ts";
import { LIST_FOUND_CHANGES } from "../src/sqlite/verification/queries.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import {
  instrumentedDriver,
  wrappedDriver,
} from "./support/faults/instrumented_driver.ts";
import { turn } from "./support/manual_time.ts";
import { tempDir } from "./support/temp_dir.ts";

/** A store that runs something before a statement of a verification, after its first page. */
async function openInstrumented(
  { name }: TestDriver,
  options: StoreOptions,
  before: (sql: string, pages: number) => void,
): Promise<SqliteStore> {
  let pages = 0;
  const driver = await instrumentedDriver(name, (sql) => {
    if (sql === LIST_FOUND_CHANGES) pages++;
    before(sql, pages);
  });
  return await openStore({ ...options, driver });
}

/** A statement that changes nothing in the file. */
const READING =
  /^(BEGIN|ROLLBACK|SELECT|PRAGMA (integrity_check|schema_version|main\.(table_xinfo|index_\w+)|journal_mode$|busy_timeout|wal_autocheckpoint))/;

for (const wal of [true, false]) {
  const journal = wal ? "a write-ahead log" : "a rollback journal";
  testOnEachDriver(
    `\`verify()\` sees one moment while others write, with ${journal}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      using db = await connect(driver, fileAt(path));
      let isChecking = false;
      const statements = new Set<string>();
      const written: boolean[] = [];
      const options = { path, wal };
      await using store = await openInstrumented(driver, options, (sql) => {
        if (!isChecking) return;
        statements.add(sql);
        if (sql !== LIST_FOUND_CHANGES) return;
        try {
          db.exec(`BEGIN IMMEDIATE; DELETE FROM zestor_kv WHERE key < '5';
            UPDATE zestor_kv SET value = value || '1'; COMMIT`);
          written.push(true);
        } catch {
          db.exec("ROLLBACK");
          written.push(false);
        }
      });
      await store.setAll(
        "k",
        Array.from({ length: 300 }, (_, i) => [`${i}`, i] as const),
      );
      isChecking = true;
      assertEquals(await store.verify(), []);
      isChecking = false;
      assert(written.length >= 3);
      // With a rollback journal the others wait, for as long as it takes.
      assertEquals(new Set(written), new Set([wal]));
      for (const sql of statements) {
        assertMatch(sql, READING);
        assertEquals(sql.includes("IMMEDIATE"), false);
      }
      // And it holds no lock any more.
      db.exec("BEGIN EXCLUSIVE; COMMIT; DELETE FROM zestor_kv");
      assertEquals(await store.verify(), []);
      assertEquals(await store.kinds(), []);
    },
  );

  testOnEachDriver(
    `\`verify()\` leaves no lock where it fails or is cancelled, with ${journal}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      using db = await connect(driver, fileAt(path));
      const controller = new AbortController();
      let then: (() => void) | undefined;
      const options = { path, wal };
      await using store = await openInstrumented(driver, options, (sql) => {
        if (sql === LIST_FOUND_CHANGES) then?.();
      });
      await store.setAll(
        "k",
        Array.from({ length: 3_000 }, (_, i) => [`${i}`, i] as const),
      );
      then = () => {
        throw new SqlError("io", "disk I/O error");
      };
      const error = await assertRejects(() => store.verify(), StoreError);
      assertEquals([error.code, error.message], [
        "STORAGE",
        "Cannot verify: disk I/O error; check that the disk works and has free space",
      ]);
      db.exec("BEGIN EXCLUSIVE; COMMIT");
      then = () => controller.abort(new Error("enough"));
      const { signal } = controller;
      await assertRejects(() => store.verify({ signal }), Error, "enough");
      db.exec("BEGIN EXCLUSIVE; COMMIT");
      then = undefined;
      assertEquals(await store.verify(), []);
    },
  );
}

testOnEachDriver(
  "a watch that begins during a verification begins after the writes of others",
  async (tested) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    using db = await connect(tested, fileAt(path));
    let watch: ReadableStreamDefaultReader<WatchEvent> | undefined;
    let isWritten = false;
    const store = await openInstrumented(tested, { path }, (_sql, pages) => {
      if (pages !== 2 || isWritten) return;
      isWritten = true;
      db.exec(
        "INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'others', '1')",
      );
      watch = store.watch("k").getReader();
    });
    await store.setAll(
      "k",
      Array.from({ length: 300 }, (_, i) => [`${i}`, i] as const),
    );
    assertEquals(await store.verify(), []);
    await store.set("k", "own", 1);
    assertEquals((await watch!.read()).value?.key, "own");
    await watch!.cancel();
    await store.close();
  },
);

testOnEachDriver(
  "a watch may begin during a verification of a file that is only read",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, { path: dir.file("app.db") });
    await store.setAll(
      "k",
      Array.from({ length: 3_000 }, (_, i) => [`${i}`, i] as const),
    );
    // Its log is longer than this reader would keep.
    const path = `file:${dir.file("app.db")}?mode=ro`;
    await using reader = await openOn(driver, { path, history: 10 });
    const checked = reader.verify();
    // Until it has begun.
    await reader.get("k", "1");
    const again = reader.verify();
    const watch = reader.watch("k").getReader();
    const next = watch.read();
    assertEquals(await checked, []);
    assertEquals(await again, []);
    await store.set("k", "x", 1);
    assertEquals((await next).value?.key, "x");
    await watch.cancel();
  },
);

testOnEachDriver("`verify()` waits for others' locks", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  using db = await connect(driver, fileAt(path));
  let isHeld = false;
  let tries = 0;
  const options = { path, wal: false };
  await using store = await openInstrumented(driver, options, (sql) => {
    if (!isHeld || sql !== "PRAGMA schema_version") return;
    if (++tries === 3) db.exec("COMMIT");
  });
  await store.set("k", "a", 1);
  db.exec("BEGIN EXCLUSIVE; DELETE FROM zestor_kv");
  isHeld = true;
  assertEquals(await store.verify(), []);
  assertEquals(tries, 3);
});

/** A store with a kind whose values take as long to verify as a test wants. */
interface SlowStore {
  readonly options: Pick<StoreOptions, "schemas" | "validateReads">;
  /** From now on a verification of 1000 entries takes seconds. */
  slow(): void;
  /** A verification that runs comes to its end. */
  release(): void;
}

function slowStore(): SlowStore {
  let isSlow = false;
  const slow = () => {
    const end = performance.now() + (isSlow ? 5 : 0);
    while (performance.now() < end);
  };
  return {
    options: { schemas: { slow }, validateReads: true },
    slow: () => void (isSlow = true),
    release: () => void (isSlow = false),
  };
}

async function fillSlow(store: SqliteStore): Promise<void> {
  await store.set("k", "a", 1);
  await store.setAll(
    "slow",
    Array.from({ length: 1_000 }, (_, i) => [`${i}`, i]),
  );
}

/** Reads of each kind. */
async function readAll(store: SqliteStore): Promise<void> {
  assertEquals(await store.get("k", "a"), 1);
  assertEquals(await store.list("k"), new Map([["a", 1]]));
  assertEquals(await store.keys("k", { where: (_, n) => n === 1 }), ["a"]);
  assertEquals(await store.count("slow"), 1_000);
  assertEquals((await Array.fromAsync(store.entries("k"))).length, 1);
  assertEquals((await store.info()).kinds.length, 2);
  const text = await new Response(store.export({ kinds: ["k"] })).text();
  assertEquals(text.split("\n").length, 2);
  const watch = store.watch("k", { initial: true }).getReader();
  assertEquals((await watch.read()).value?.key, "a");
  await watch.cancel();
}

testOnEachDriver(
  "reads, writes, watches and backups go on during a verification",
  async (driver) => {
    await using dir = await tempDir();
    const { options, slow, release } = slowStore();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path, ...options });
    await fillSlow(store);
    slow();
    let isChecked = false;
    const checked = store.verify().finally(() => isChecked = true);
    await turn();
    await readAll(store);
    const watch = store.watch("k").getReader();
    await store.set("k", "b", 2);
    assertEquals((await watch.read()).value?.key, "b");
    await watch.cancel();
    await store.setAll("k", { c: 3, d: 4 });
    // It sees nothing of what is written meanwhile.
    await store.set("new", "a", 1);
    await store.delete("k", "a");
    assertEquals(isChecked, false);
    release();
    await store.backup(dir.file("backup.db"));
    assertEquals(await checked, []);
    assertEquals(await store.verify(), []);
  },
);

/** The stores whose check keeps their writes waiting, and how each opens. */
const KEPT_OUT: Record<string, (path: string) => Partial<StoreOptions>> = {
  "with a rollback journal": (path) => ({ path, wal: false }),
  "in memory": () => ({ path: ":memory:" }),
  "in shared memory": (path) => ({
    path: `file:${encodeURIComponent(path)}?mode=memory&cache=shared`,
  }),
};

for (const [where, open] of Object.entries(KEPT_OUT)) {
  testOnEachDriver(
    `reads go on during a verification ${where}, and writes wait for its end`,
    async (driver) => {
      await using dir = await tempDir();
      const { options, slow, release } = slowStore();
      await using store = await openOn(driver, {
        path: "",
        ...open(dir.file("app.db")),
        ...options,
        // A write that waits for a verification of its own store does not give up.
        busyTimeout: 0,
      });
      await fillSlow(store);
      slow();
      const settled: string[] = [];
      const note = (what: string) => () => void settled.push(what);
      const checks = [
        store.verify().finally(note("verify")),
        store.verify().finally(note("verify")),
      ];
      await turn();
      await readAll(store);
      const writing = store.set("k", "b", 2).finally(note("set"));
      const read = store.get("k", "b").finally(note("get"));
      const backup = store.backup(dir.file("backup.db"));
      for (let i = 0; i < 10; i++) await turn();
      assertEquals(settled, []);
      release();
      assertEquals(await Promise.all(checks), [[], []]);
      await writing;
      assertEquals(await read, 2);
      await backup;
      // A verification tells what it found some turns of the promises after it
      // has let the writes go.
      const others = settled.filter((name) => name !== "verify");
      assertEquals(others, ["set", "get"]);
      assertEquals(await store.verify(), []);
    },
  );
}

testOnEachDriver(
  "with a rollback journal reads go on during a verification, also if others wait to commit",
  async (driver) => {
    await using dir = await tempDir();
    const { options, slow, release } = slowStore();
    const path = dir.file("app.db");
    await using store = await openOn(driver, {
      path,
      wal: false,
      busyTimeout: 0,
      ...options,
    });
    await fillSlow(store);
    using db = await connect(driver, fileAt(path));
    slow();
    const checked = store.verify();
    await turn();
    db.exec("BEGIN IMMEDIATE; DELETE FROM zestor_kv WHERE kind = 'k'");
    let failure: unknown;
    try {
      db.exec("COMMIT");
    } catch (error) {
      failure = error;
    }
    assert(failure instanceof SqlError && failure.failure === "busy");
    // Its lock is one that lets nobody else begin to read.
    assertEquals(await store.get("k", "a"), 1);
    assertEquals((await store.info()).kinds.length, 2);
    release();
    assertEquals(await checked, []);
    db.exec("COMMIT");
    assertEquals(await store.get("k", "a"), undefined);
  },
);

Deno.test("nobody waits for a verification of a memory store", async () => {
  const { options, slow, release } = slowStore();
  await using store = await openMemoryStore(options);
  await store.setAll(
    "slow",
    Array.from({ length: 1_000 }, (_, i) => [`${i}`, i]),
  );
  slow();
  let isChecked = false;
  const checked = store.verify().finally(() => isChecked = true);
  await turn();
  await store.set("k", "a", 1);
  await store.update("slow", "999", (n) => Number(n) + 1);
  await store.delete("slow", "0");
  assertEquals(await store.get("k", "a"), 1);
  assertEquals(isChecked, false);
  release();
  assertEquals(await checked, []);
  assertEquals(await store.verify(), []);
});

/** A store, and how many connections it has. */
async function openCounted(
  { name }: TestDriver,
  options: StoreOptions,
  before: (sql: string) => void = () => {},
): Promise<{ store: SqliteStore; readonly connections: number }> {
  let connections = 0;
  const inner = await wrappedDriver(name, (call, carryOut) => {
    if (call.method === "close") connections--;
    else if (call.sql) before(call.sql);
    return carryOut();
  });
  const store = await openStore({
    ...options,
    driver: {
      name: inner.name,
      open(location) {
        const connection = inner.open(location);
        connections++;
        return connection;
      },
    },
  });
  return {
    store,
    get connections() {
      return connections;
    },
  };
}

testOnEachDriver(
  "a verification closes its connection, however it ends",
  async (driver) => {
    await using dir = await tempDir();
    const { options, slow, release } = slowStore();
    let before: (sql: string) => void = () => {};
    const counted = await openCounted(
      driver,
      { path: dir.file("app.db"), ...options },
      (sql) => before(sql),
    );
    const { store } = counted;
    await fillSlow(store);
    assertEquals(await store.verify(), []);
    assertEquals(counted.connections, 1);

    slow();
    const controller = new AbortController();
    const aborted = store.verify({ signal: controller.signal });
    await turn();
    assertEquals(counted.connections, 2);
    controller.abort(new Error("enough"));
    await assertRejects(() => aborted, Error, "enough");
    assertEquals(counted.connections, 1);

    // It fails in the middle, and before it has begun.
    for (const failing of ["PRAGMA integrity_check(101)", "BEGIN"]) {
      before = (sql) => {
        if (sql !== failing || counted.connections !== 2) return;
        throw new SqlError("io", "disk I/O error");
      };
      await assertRejects(() => store.verify(), StoreError, "disk I/O error");
      assertEquals(counted.connections, 1);
    }
    before = () => {};

    const checked = store.verify();
    await turn();
    assertEquals(counted.connections, 2);
    const closed = store.close();
    await assertRejects(() => store.verify(), StoreClosedError);
    release();
    assertEquals(await checked, []);
    await closed;
    assertEquals(counted.connections, 0);
  },
);

testOnEachDriver(
  "a verification whose schema does not answer holds no connection, and no `close()`",
  async (driver) => {
    await using dir = await tempDir();
    const answer = Promise.withResolvers<void>();
    let isAsked = false;
    const options: StoreOptions = {
      path: dir.file("app.db"),
      schemas: {
        k: (value: unknown) => {
          if (!isAsked) return;
          return answer.promise.then(() => {
            throw new Error(`Not ${value}`);
          });
        },
      },
      validateReads: true,
    };
    const counted = await openCounted(driver, options);
    await counted.store.set("k", "a", 1);
    isAsked = true;
    const checked = counted.store.verify();
    const controller = new AbortController();
    const aborted = counted.store.verify({ signal: controller.signal });
    // What is called later has come to its end.
    await new Response(counted.store.export()).bytes();
    while (counted.connections > 1) await turn();
    controller.abort(new Error("enough"));
    await assertRejects(() => aborted, Error, "enough");
    await counted.store.close();
    assertEquals(counted.connections, 0);
    answer.resolve();
    assertEquals((await checked).map(({ key }) => key), ["a"]);
  },
);

testOnEachDriver(
  "a verification of a moved file reports the move, and the faults in it",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await store.set("k", "a", 1);
    using db = await connect(driver, fileAt(path));
    db.exec("UPDATE zestor_changes SET version = 5");
    await Deno.rename(path, dir.file("moved.db"));
    for (const isReplaced of [false, true]) {
      if (isReplaced) await Deno.writeTextFile(path, "");
      const [first, ...others] = await store.verify();
      assertMatch(first.message, /no longer at its path/);
      assertEquals(others.some(({ part }) => part === "entries"), true);
      assertEquals(await store.get("k", "a"), 1);
    }
  },
);
