/**
 * What a store says of a file that SQLite cannot open: what is in the way, and
 * what to do.
 *
 * @module
 */
import { assert, assertRejects, assertStringIncludes } from "@std/assert";
import { StoreError, StoreOpenError, StoreReadOnlyError } from "../mod.ts";
import { connect, fileAt } from "./support/connect.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { testOnLockable } from "./support/faults/lockable_dir.ts";
import { tempDir } from "./support/temp_dir.ts";

/** Makes a store at `path`, and a copy of it as an interrupted writer leaves it at `left`. */
async function leaveJournal(
  driver: TestDriver,
  path: string,
  left: string,
): Promise<void> {
  {
    await using store = await openOn(driver, { path, wal: false });
    for (let i = 0; i < 50; i++) await store.set("k", `${i}`, "-".repeat(500));
  }
  using db = await connect(driver, fileAt(path));
  // So little memory that what is not committed is in the file.
  db.exec(`PRAGMA cache_size = 1; BEGIN IMMEDIATE;
    UPDATE zestor_kv SET value = '"wrong"'`);
  await Deno.copyFile(path, left);
  await Deno.copyFile(`${path}-journal`, `${left}-journal`);
  db.exec("ROLLBACK");
}

testOnEachDriver(
  "a reader gets an error about a journal that it cannot roll back",
  async (driver) => {
    await using dir = await tempDir();
    const left = dir.file("left.db");
    await leaveJournal(driver, dir.file("app.db"), left);
    const { message } = await assertRejects(
      () => openOn(driver, { path: `file:${left}?mode=ro` }),
      StoreReadOnlyError,
      "left.db-journal was left by an interrupted program",
    );
    assertStringIncludes(message, "open the file once for writing");
    assert(!message.includes("mode=rwc"), message);
    // That helps.
    await (await openOn(driver, { path: left })).close();
    await using store = await openOn(driver, { path: `file:${left}?mode=ro` });
    assert(await store.get("k", "0") === "-".repeat(500));
  },
);

testOnLockable(
  "a reader gets an error about a write-ahead log in an unwritable directory",
  async (driver, dir) => {
    const path = `${dir.path}/app.db`;
    await (await openOn(driver, { path })).close();
    await dir.lock();
    const { message } = await assertRejects(
      () => openOn(driver, { path: `file:${path}?mode=ro` }),
      // Which of the two it is depends on how the directory is protected.
      StoreError,
      "make its directory writable, or copy the file",
    );
    assert(!message.includes("mode=rwc"), message);
  },
);

testOnEachDriver(
  "an error of an opening names the files beside the database",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await (await openOn(driver, { path })).close();
    // What nobody can open as a file stands for what this user may not.
    await Deno.mkdir(`${path}-wal`);
    for (const mode of ["ro", "rwc"]) {
      await assertRejects(
        () => openOn(driver, { path: `file:${path}?mode=${mode}` }),
        StoreOpenError,
        "check that this user may read and write the file, app.db-wal beside it, and their directory",
      );
    }
  },
);
