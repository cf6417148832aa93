/**
 * Versions and revisions at the end of safe integers, as plain SQL can leave
 * them in a file. What every store promises of versions is in the conformance
 * suite.
 *
 * @module
 */
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  type RefusedLine,
  type Store,
  StoreCorruptError,
  StoreError,
} from "../mod.ts";
import { linesOf, take } from "../src/testing/reading.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

const LAST = Number.MAX_SAFE_INTEGER;

async function runSql(
  driver: TestDriver,
  path: string,
  sql: string,
): Promise<void> {
  using database = await connect(driver, fileAt(path));
  database.exec(sql);
}

/** Every operation that writes to the entry. */
const writes: Record<string, (store: Store) => Promise<unknown>> = {
  set: (store) => store.set("k", "a", 2),
  update: (store) => store.update("k", "a", () => 2),
  setAll: (store) => store.setAll("k", { a: 2, b: 2 }),
  atomic: (store) => store.atomic().set("k", "a", 2).set("k", "b", 2).commit(),
};

async function refusedOf(store: Store, keys: string[]): Promise<RefusedLine[]> {
  const refused: RefusedLine[] = [];
  await store.import(
    ReadableStream.from(
      keys.map((key) => JSON.stringify({ kind: "k", key, value: 2 }) + "\n"),
    ),
    { onRefused: (line) => refused.push(line) },
  );
  return refused;
}

testOnEachDriver(
  "an entry that plain SQL gave the last version is not written",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await store.set("k", "c", 1);
    await runSql(
      driver,
      path,
      `INSERT INTO zestor_kv (kind, key, value, version) VALUES ('k', 'a', '1', ${LAST})`,
    );
    for (const [name, write] of Object.entries(writes)) {
      await assertRejects(
        () => write(store),
        StoreError,
        `its version is ${LAST}, which is the largest possible`,
        name,
      );
    }
    assertEquals((await refusedOf(store, ["a", "b"])).length, 1);
    assertEquals((await store.entry("k", "a"))?.version, LAST);
    assertEquals(await store.keys("k"), ["a", "b", "c"]);
    const versions = (await linesOf(store.export()))
      .map(({ version }) => version);
    assertEquals(versions, [LAST, 1, 1]);
    assertEquals(await store.verify(), []);
    await store.backup(dir.file("backup.db"));
    await store.delete("k", "a");
    assertEquals((await store.set("k", "a", 2)).version, 1);
  },
);

testOnEachDriver(
  "an entry with a version beyond the largest is an error, and is not written",
  async (driver) => {
    for (
      const version of [`${2n ** 53n}`, `${2n ** 63n - 1n}`, "1e19", "'x'"]
    ) {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      await using store = await openOn(driver, { path });
      await store.set("k", "a", 1);
      await store.set("k", "c", 1);
      // No trigger tells of it, so that the log is as it was.
      const setVersion = (version: string) =>
        runSql(
          driver,
          path,
          `UPDATE zestor_kv SET version = ${version} WHERE key = 'a'`,
        );
      await setVersion(version);
      const told = `a version is ${
        version === "1e19" ? "1.0e+19" : version.replaceAll("'", "")
      }, not a safe integer`;
      const reads: Record<string, () => Promise<unknown>> = {
        entry: () => store.entry("k", "a"),
        delete: () => store.delete("k", "a"),
        export: () => linesOf(store.export()),
        entries: () => Array.fromAsync(store.entries("k")),
        watch: () => take(store.watch("k", { initial: true }).getReader(), 1),
      };
      for (const [name, call] of Object.entries(reads)) {
        await assertRejects(call, StoreCorruptError, told, name);
      }
      // What shares their transaction is written.
      const others = [store.set("k", "d", 1), store.set("k", "e", 1)];
      await Promise.all(
        Object.entries(writes).map(([name, write]) =>
          assertRejects(() => write(store), StoreCorruptError, told, name)
        ),
      );
      await Promise.all(others);
      // Nor is what they do done twice.
      let updates = 0;
      const update = store.update("k", "d", (value) => {
        updates++;
        return value;
      });
      await assertRejects(
        () => store.set("k", "a", 2, { ifVersion: 1 }),
        StoreCorruptError,
        told,
      );
      await update;
      assertEquals(updates, 1);
      const [refused, ...more] = await refusedOf(store, ["a", "b"]);
      assertStringIncludes(refused.reason, told);
      assertEquals(more, []);
      assertEquals(await store.get("k", "a"), 1);
      assertEquals(await store.keys("k"), ["a", "b", "c", "d", "e"]);
      // Mended by SQL, as the error says.
      await setVersion("7");
      assertEquals((await store.set("k", "a", 2)).version, 8);
    }
  },
);

testOnEachDriver(
  "no write makes a revision that cannot be read back",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    {
      await using store = await openOn(driver, { path });
      await store.set("k", "a", 1);
      await store.set("k", "b", 1);
    }
    await runSql(
      driver,
      path,
      `UPDATE zestor_changes SET revision = revision + ${LAST} - 3;
      UPDATE zestor_kv SET revision = revision + ${LAST} - 3;
      UPDATE sqlite_sequence SET seq = ${LAST - 1}`,
    );
    await using store = await openOn(driver, { path });
    const { revision } = await store.set("k", "a", 2);
    assertEquals(revision, LAST);
    const refusals = await Promise.all(
      [
        store.set("k", "a", 3),
        store.delete("k", "b"),
        store.setAll("k", { c: 1, d: 1 }),
        store.atomic().set("k", "c", 1).commit(),
        store.import(
          ReadableStream.from(['{"kind":"k","key":"c","value":1}']),
          { onRefused() {} },
        ),
        refusedOf(store, ["c", "d"]),
        // More than share a transaction.
        refusedOf(store, Array.from({ length: 200 }, (_, i) => `c${i}`)),
      ].map((write) => write.then(() => undefined, (error) => error)),
    );
    for (const error of refusals) {
      assertInstanceOf(error, StoreError);
      assertStringIncludes(
        error.message,
        `the store's last revision is ${LAST}`,
      );
    }
    // What changes nothing has no revision.
    assertEquals(await store.set("k", "a", 2), {
      status: "unchanged",
      version: 2,
      revision: LAST,
    });
    assertEquals([...await store.list("k")], [["a", 2], ["b", 1]]);
    assertEquals(await store.verify(), []);
    const watch = store.watch("k", { after: LAST - 1 }).getReader();
    const [event] = await take(watch, 1);
    assertEquals([event.key, event.revision], ["a", LAST]);
    await watch.cancel();
    // As the error says.
    await using fresh = await openOn(driver, { path: dir.file("fresh.db") });
    await fresh.import(store.export());
    assertEquals((await fresh.set("k", "a", 3)).version, 3);
  },
);
