/**
 * Watches across processes (W7): whoever writes the file, and by whatever
 * means, every watch tells of it, with file notifications and without. And
 * what a watch does to its own process, or that process's end to the watch.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { openStore, type Store } from "../mod.ts";
import { assertCrowdSeesAll } from "./support/processes/crowd.ts";
import { deafen } from "./support/faults/deaf.ts";
import {
  drivers,
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import {
  GO_STORY,
  SQL_STORY,
  STORE_STORY,
  type Story,
} from "./support/processes/foreign_writes.ts";
import { startSqlPeer, startStorePeer } from "./support/processes/peer.ts";
import { tempDir } from "./support/temp_dir.ts";
import { toldWithRevision } from "./support/watches/telling.ts";

const [builtin] = drivers;
const available = drivers.filter(({ unavailable }) => !unavailable);

/** Registers a test on each two drivers of two processes. */
function testOnEachPair(
  name: string,
  fn: (first: TestDriver, second: TestDriver) => Promise<void>,
): void {
  for (const first of drivers) {
    for (const second of drivers) {
      const { test } = first === builtin ? second : first;
      test(`${name} [${first.name}, ${second.name}]`, () => fn(first, second));
    }
  }
}

// A crowd.

// One crowd writes more than the watches buffer. For each other way to hear of a
// change, few thousand changes show the same.
const CROWDS = [
  { hearing: "notified", wal: true, changes: 30_000 },
  { hearing: "deaf", wal: true, changes: 5_000 },
  { hearing: "denied", wal: true, changes: 5_000 },
  { hearing: "notified", wal: false, changes: 5_000 },
  { hearing: "deaf", wal: false, changes: 5_000 },
] as const;

for (const crowd of CROWDS) {
  const { hearing, wal, changes } = crowd;
  const name = `W7 4 watchers see each of ${changes} changes of 4 writers, ` +
    `${hearing}${wal ? "" : ", without a write-ahead log"}`;
  // With FFI there is nothing that can be denied.
  const mixed = hearing === "denied" ? [builtin] : available;
  builtin.test(
    `${name} [${mixed.map((driver) => driver.name).join()}]`,
    () => assertCrowdSeesAll({ ...crowd, drivers: mixed }),
  );
}

// Others who write.

const HEARING = ["notified", "deaf"] as const;

const noShell = await whyNoShell();
if (noShell) console.warn(`Tests of the sqlite3 shell are ignored: ${noShell}`);

async function whyNoShell(): Promise<string | undefined> {
  try {
    await runShell(":memory:", "SELECT 1");
  } catch (error) {
    return (error as Error).message;
  }
}

async function runShell(path: string, sql: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("sqlite3", {
    args: ["-batch", "-bail", "-cmd", ".timeout 60000", path, sql],
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** Registers a test on each driver, as ignored where there is no `sqlite3`. */
function testWithShell(
  name: string,
  fn: (driver: TestDriver) => Promise<void>,
): void {
  if (!noShell) return testOnEachDriver(name, fn);
  for (const driver of drivers) {
    Deno.test.ignore(`${name} [${driver.name}]`, () => fn(driver));
  }
}

/** Asserts that the watches of an empty store tell the story of what another does. */
async function assertTells<Action>(
  store: Store,
  story: Story<Action>,
  act: (action: Action, step: string) => Promise<unknown>,
): Promise<void> {
  const count = (kind: string) =>
    Object.values(story).flatMap(([, changes]) => changes)
      .filter((change) => change.includes(` ${kind}/`)).length;
  // All reads wait from the beginning.
  const reads = new Map(["k", "l"].map((kind) => {
    const events = store.watch(kind).getReader();
    return [
      kind,
      Array.from({ length: count(kind) }, () => events.read()),
    ];
  }));
  let revision = 0;
  for (const [step, [action, changes]] of Object.entries(story)) {
    await act(action, step);
    for (const change of changes) {
      const [, kind] = /^\w+ (.)/.exec(change)!;
      const { value } = await reads.get(kind)!.shift()!;
      assert(value, "the stream has ended");
      assertEquals(toldWithRevision(value), `${++revision} ${change}`, step);
    }
  }
}

for (const hearing of HEARING) {
  const listen = () =>
    hearing === "deaf" ? deafen() : { [Symbol.dispose]() {} };

  testOnEachDriver(
    `W7 a watch sees the writes of another store in the process, ${hearing}`,
    async (driver) => {
      using _ = listen();
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openOn(driver, { path });
      await using other = await openOn(driver, { path });
      await assertTells(store, STORE_STORY, (write) => write(other));
    },
  );

  testOnEachPair(
    `W7 a watch sees the writes of another process, ${hearing}`,
    async (first, second) => {
      using _ = listen();
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openOn(first, { path });
      await using peer = startStorePeer("tellStory", {
        path,
        driver: second.name,
      });
      assertEquals(await peer.next(), "ready");
      await assertTells(store, STORE_STORY, (_, step) => peer.ask(step));
      await peer.hangUp();
      await peer.exited();
    },
  );

  for (
    const [writer, story] of [
      ["plain SQL writes", SQL_STORY],
      ["the Go store's statements write", GO_STORY],
    ] as [string, Story<unknown>][]
  ) {
    testOnEachDriver(
      `W7 a watch sees what ${writer}, ${hearing}`,
      async (driver) => {
        using _ = listen();
        await using dir = await tempDir();
        const path = dir.file("app.db");
        await using store = await openOn(driver, { path });
        await using peer = startSqlPeer("runSql", { path });
        assertEquals(await peer.next(), "ready");
        await assertTells(store, story, (statements) => peer.ask(statements));
        await peer.hangUp();
        await peer.exited();
      },
    );
  }

  testWithShell(
    `W7 a watch sees the writes of the sqlite3 shell, ${hearing}`,
    async (driver) => {
      using _ = listen();
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openOn(driver, { path });
      await assertTells(store, SQL_STORY, (sql) => runShell(path, sql));
    },
  );
}

testOnEachPair(
  "a process that watches keeps its locks on the file",
  async (first, second) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(first, { path });
    const events = store.watch("k").getReader();
    // Whoever is the last to close a file deletes its write-ahead log.
    for (let n = 1; n <= 5; n++) {
      const reads = [events.read(), events.read()];
      {
        await using sql = startSqlPeer("runSql", { path });
        assertEquals(await sql.next(), "ready");
        await sql.ask(
          `INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'a${n}', ${n})`,
        );
        assertEquals((await reads[0]).value?.key, `a${n}`);
        await sql.hangUp();
        await sql.exited();
      }
      await store.set("k", `b${n}`, n);
      assertEquals((await reads[1]).value?.key, `b${n}`);
      await using other = startStorePeer("tellWatch", {
        path,
        driver: second.name,
        kind: "k",
        options: { after: 2 * n - 1 },
      });
      assertEquals(await other.next(), "ready");
      assertEquals(await other.next(), `${2 * n} create k/b${n}@1 ${n}`);
    }
  },
);

// Resuming.

for (const hearing of HEARING) {
  testOnEachPair(
    `W5 a watch resumes in another process, at the place of a killed one, ${hearing}`,
    async (first, second) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openOn(first, { path });
      let after = 0;
      {
        const driver = first.name;
        await using killed = startStorePeer("tellWatch", {
          path,
          driver,
          kind: "k",
        }, { hearing });
        assertEquals(await killed.next(), "ready");
        await store.set("k", "a", 1);
        await store.set("l", "a", 1);
        await store.set("k", "a", 2);
        assertEquals(await killed.next(), "1 create k/a@1 1");
        assertEquals(await killed.next(), "3 update k/a@2 2");
        after = 3;
        await killed.kill();
      }
      await store.set("k", "b", 1);
      await store.set("l", "a", 2);
      await store.delete("k", "a");

      const driver = second.name;
      const args = { path, driver, kind: "k", options: { after } };
      for (let round = 0; round < 2; round++) {
        await using resumed = startStorePeer("tellWatch", args, { hearing });
        assertEquals(await resumed.next(), "ready");
        assertEquals(await resumed.next(), "4 create k/b@1 1");
        assertEquals(await resumed.next(), "6 delete k/a@2 2");
        const { revision } = await store.set("k", "c", round);
        const type = round === 0 ? "create" : "update";
        if (round === 1) assertEquals(await resumed.next(), "7 create k/c@1 0");
        assertEquals(
          await resumed.next(),
          `${revision} ${type} k/c@${round + 1} ${round}`,
        );
      }
    },
  );

  testOnEachPair(
    `W6 bookmarks keep a quiet kind's revision in a log that others fill, ${hearing}`,
    async (first, second) => {
      await using dir = await tempDir();
      const file = { path: dir.file("app.db"), history: 100 };
      await using store = await openOn(first, file);
      const watching = { ...file, driver: second.name, kind: "quiet" };
      await using peer = startStorePeer("tellWatch", {
        ...watching,
        options: { bookmarks: true },
      }, { hearing });
      assertEquals(await peer.next(), "ready");
      const { revision: saved } = await store.set("quiet", "a", 1);
      assertEquals(await peer.next(), "1 create quiet/a@1 1");
      let bookmark = saved;
      for (let i = 1; i <= 400; i++) {
        const { revision } = await store.set("busy", "a", i);
        // No further behind than two of what may pass without one.
        while (bookmark < revision - 50) {
          const item = await peer.next<string>();
          assert(/^\d+ bookmark$/.test(item), item);
          bookmark = parseInt(item);
          assertLessOrEqual(bookmark, revision);
        }
      }
      await peer.kill();

      await using late = startStorePeer("tellWatch", {
        ...watching,
        options: { after: saved },
      }, { hearing });
      assertEquals(await late.next(), "ready");
      assertEquals(await late.next(), "WatchOverflowError");
      await late.exited();

      const { revision } = await store.set("quiet", "a", 2);
      await using resumed = startStorePeer("tellWatch", {
        ...watching,
        options: { after: bookmark },
      }, { hearing });
      assertEquals(await resumed.next(), "ready");
      assertEquals(await resumed.next(), `${revision} update quiet/a@2 2`);
    },
  );
}

// How a watch keeps its process running.

for (const hearing of HEARING) {
  testOnEachDriver(
    `a watch that is read keeps its process running, ${hearing}`,
    async ({ name: driver }) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      const options = { hearing };
      await using reading = startStorePeer(
        "readOne",
        { path, driver },
        options,
      );
      assertEquals(await reading.next(), "reading");
      // Meanwhile one that has nothing to run for comes and goes.
      await using passing = startStorePeer(
        "readOne",
        { path, driver, persistent: false },
        options,
      );
      assertEquals(await passing.next(), "reading");
      await passing.exited();
      await using store = await openStore({ path, driver });
      await store.set("k", "a", 1);
      assertEquals(await reading.next(), "a");
      await reading.exited();
    },
  );

  testOnEachDriver(
    `a watch that is not persistent sees the writes of others, ${hearing}`,
    async ({ name: driver }) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using peer = startStorePeer("readWhileHearing", {
        path,
        driver,
        persistent: false,
      }, { hearing });
      assertEquals(await peer.next(), "reading");
      await using store = await openStore({ path, driver });
      for (const key of ["a", "b", "c"]) {
        await store.set("k", key, 1);
        assertEquals(await peer.next(), key);
      }
      await peer.hangUp();
      await peer.exited();
    },
  );

  for (const end of ["cancel", "abort", "close"] as const) {
    testOnEachDriver(
      `a read that ends by ${end} lets the process exit, ${hearing}`,
      async ({ name: driver }) => {
        await using dir = await tempDir();
        const path = dir.file("app.db");
        await using peer = startStorePeer(
          "endRead",
          { path, driver, end },
          { hearing },
        );
        assertEquals(await peer.next(), "reading");
        assertEquals(await peer.next(), true);
        await peer.exited();
      },
    );
  }
}

testOnEachDriver(
  "a watch that is left lets the process exit",
  async ({ name: driver }) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      await using store = await openStore({ path, driver });
      await store.set("k", "a", 1);
    }
    await using peer = startStorePeer("endRead", {
      path,
      driver,
      end: "leave",
    });
    assertEquals(await peer.next(), "a");
    await peer.exited();
  },
);

testOnEachDriver(
  "a watch that is not read lets the process exit",
  async ({ name: driver }) => {
    await using dir = await tempDir();
    await using peer = startStorePeer("watchUnread", {
      path: dir.file("app.db"),
      driver,
    });
    assertEquals(await peer.next(), "watching");
    await peer.exited();
  },
);
