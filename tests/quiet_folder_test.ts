/**
 * A look at a folder stands for looks at its files, as long as nothing in the
 * folder has changed.
 *
 * @module
 */
import { assert, assertRejects } from "@std/assert";
import { StoreError } from "../mod.ts";
import { QuietFolder } from "../src/sqlite/file/quiet_folder.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

/** The clock is ahead of the file system's: what changed just now is long ago. */
function clockAhead(): Disposable {
  const { now } = Date;
  Date.now = () => now() + 60_000;
  return { [Symbol.dispose]: () => void (Date.now = now) };
}

/** The folder's next change is told by its time, also within the same second. */
function backdate(folder: string): Promise<void> {
  return Deno.utime(folder, new Date(0), new Date(0));
}

/** What becomes of a folder's files. */
const CHANGES: Record<string, (folder: string) => Promise<void>> = {
  "a file was removed": (folder) => Deno.remove(`${folder}/app.db-wal`),
  "a file was renamed": (folder) =>
    Deno.rename(`${folder}/app.db`, `${folder}/old.db`),
  "a file was replaced": (folder) =>
    Deno.rename(`${folder}/other.db`, `${folder}/app.db`),
  "a file was made": (folder) => Deno.writeTextFile(`${folder}/new.db`, ""),
  "it was moved": (folder) => Deno.rename(folder, `${folder}.old`),
  "it was replaced": async (folder) => {
    await Deno.rename(folder, `${folder}.old`);
    await Deno.mkdir(folder);
    await backdate(folder);
  },
};

async function makeFolder(path: string): Promise<string> {
  await Deno.mkdir(path);
  for (const name of ["app.db", "app.db-wal", "other.db"]) {
    await Deno.writeTextFile(`${path}/${name}`, "");
  }
  await backdate(path);
  return path;
}

const ignore = Deno.build.os === "windows";

for (const [change, make] of Object.entries(CHANGES)) {
  Deno.test({
    name: `a folder is not unchanged after ${change}`,
    ignore,
    async fn() {
      await using dir = await tempDir();
      const path = await makeFolder(dir.file("folder"));
      using _ = clockAhead();
      const folder = new QuietFolder(`${path}/app.db`);
      assert(!folder.isUnchanged());
      folder.noteInPlace();
      assert(folder.isUnchanged());
      await Deno.writeTextFile(`${path}/app.db`, "a write changes no folder");
      assert(folder.isUnchanged());
      await make(path);
      assert(!folder.isUnchanged());
    },
  });
}

Deno.test("a folder that changed just now tells nothing", async () => {
  await using dir = await tempDir();
  const path = await makeFolder(dir.file("folder"));
  const folder = new QuietFolder(`${path}/app.db`);
  assert(!folder.isUnchanged());
  folder.noteInPlace();
  assert(!folder.isUnchanged());
});

testOnEachDriver(
  "a write in a quiet folder is refused when somebody removed the log",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const store = await openOn(driver, { path });
    await backdate(dir.path);
    using _ = clockAhead();
    for (let n = 0; n < 3; n++) await store.set("k", "a", n);
    await Deno.remove(`${path}-wal`);
    await assertRejects(() => store.set("k", "b", 2), StoreError, "the -wal");
    await store.close();
  },
);
