/**
 * Files that are replaced or removed while a store has them open: no write is
 * acknowledged that is lost, reads and watches do not go on in silence, and
 * closing the store harms nobody.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { openStore, StoreError, StoreOpenError } from "../mod.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { runChild } from "./support/processes/child.ts";
import { tempDir } from "./support/temp_dir.ts";

/** Which files are removed, and what the error names. */
const REMOVED = [
  { files: ["-wal"], named: "the -wal of" },
  { files: ["-shm"], named: "the -shm of" },
  { files: ["-wal", "-shm"], named: "the -wal of" },
];

/** The keys in a file, as another process reads them. */
async function keysIn(dir: string, path: string): Promise<string> {
  const result = await runChild(
    dir,
    `const store = await zestor.openStore({ path: ${JSON.stringify(path)} });
    console.log((await store.keys("k")).join(), (await store.verify()).length);
    await store.close();`,
    { permissions: ["--allow-read", "--allow-write"] },
  );
  assertEquals(result.stderr, "");
  return result.stdout;
}

for (const { files, named } of REMOVED) {
  testOnEachDriver(
    `a write is refused when somebody removed ${files.join(" and ")}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      const store = await openOn(driver, { path });
      await store.set("k", "a", 1);
      for (const file of files) await Deno.remove(path + file);
      await assertRejects(() => store.set("k", "b", 2), StoreError, named);
      await assertRejects(() => store.setAll("k", { c: 3 }), StoreError, named);
      await store.close();
      // What was acknowledged was in the log alone.
      assertEquals(await keysIn(dir.path, path), "a 0");
      await using again = await openOn(driver, { path });
      assertEquals(await again.get("k", "a"), 1);
    },
  );
}

testOnEachDriver(
  "a write that commits to a log that was removed meanwhile is not acknowledged",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const store = await openOn(driver, { path });
    await store.set("k", "a", 1);
    // Inside the transaction, past the look before it.
    const written = store.update("k", "a", (value) => {
      Deno.removeSync(`${path}-wal`);
      return (value as number) + 1;
    });
    const error = await assertRejects(() => written, StoreError, "-wal");
    assertEquals(error.code, "UNKNOWN_OUTCOME");
    await store.close();
  },
);

testOnEachDriver(
  "closing a store whose log was replaced keeps the writes of others",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const result = await runChild(
      dir.path,
      `const store = await zestor.openStore({
        path: "app.db",
        driver: "${driver.name}",
      });
      await store.set("k", "mine", 1);
      Deno.removeSync("app.db-wal");
      Deno.removeSync("app.db-shm");
      // Another process goes on with new ones, and ends.
      const { code } = new Deno.Command(Deno.execPath(), {
        args: ["eval", ${
        JSON.stringify(
          `import { DatabaseSync } from "node:sqlite";
          const db = new DatabaseSync("app.db");
          db.exec("INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'theirs', '2')");
          db.close();`,
        )
      }],
      }).outputSync();
      console.log(code);
      await store.set("k", "lost", 3).catch((error) => console.log(error.code));
      await store.close();
      const again = zestor.openStore({
        path: "app.db",
        driver: "${driver.name}",
      });
      await again.catch((error) => console.log(error.message));`,
      { permissions: ["-A"] },
    );
    assertEquals(result.stderr, "");
    const [code, error, refusal] = result.stdout.split("\n");
    assertEquals([code, error], ["0", "STORAGE"]);
    assertEquals(refusal.endsWith("restart the process"), true);
    assertEquals(await keysIn(dir.path, path), "theirs 0");
  },
);

for (const wal of [true, false]) {
  testOnEachDriver(
    `reads and watches end when another file is at the path, with wal: ${wal}`,
    async (driver) => {
      await using dir = await tempDir();
      const path = dir.file("app.db");
      {
        await using other = await openOn(driver, {
          path: dir.file("new.db"),
          wal,
        });
        await other.set("k", "b", 2);
      }
      const store = await openOn(driver, { path, wal });
      await store.set("k", "a", 1);
      const changes = store.watch("k").getReader();
      const moved = "no longer at its path";
      const ended = assertRejects(() => changes.read(), StoreError, moved);
      await Deno.rename(dir.file("new.db"), path);
      await ended;
      // The watch has just looked. A read looks again, for it is still so.
      await assertRejects(() => store.get("k", "a"), StoreError, moved);
      await assertRejects(() => store.set("k", "a", 3), StoreError, moved);
      await store.close();
      // As the README says: SQLite would apply it to the new file.
      for (const log of ["-wal", "-shm"]) {
        await Deno.remove(path + log).catch(() => {});
      }
      await using again = await openOn(driver, { path, wal });
      assertEquals(await again.keys("k"), ["b"]);
    },
  );
}

testOnEachDriver("a file with hard links is refused", async (driver) => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await (await openOn(driver, { path })).close();
  await Deno.link(path, dir.file("link.db"));
  const links = "2 hard links";
  for (const name of ["app.db", "link.db"]) {
    for (const mode of ["ro", "rw"]) {
      const dsn = `file:${dir.file(name)}?mode=${mode}`;
      const opened = () => openOn(driver, { path: dsn });
      await assertRejects(opened, StoreOpenError, links);
    }
  }
  await Deno.remove(dir.file("link.db"));
  await using store = await openStore({ path, driver: driver.name });
  assertEquals(await store.kinds(), []);
});
