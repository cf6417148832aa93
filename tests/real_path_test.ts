/**
 * A store's file by its real path: wherever the process goes, and whatever
 * links lead to the file.
 *
 * @module
 */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { basename, dirname, join } from "node:path";
import { openStore, StoreError, StoreOpenError } from "../mod.ts";
import type { Driver } from "../src/sqlite/driver/driver.ts";
import { loadDriver } from "../src/sqlite/driver/load.ts";
import {
  openOn,
  type TestDriver,
  testOnEachDriver,
} from "./support/drivers.ts";
import { runChild } from "./support/processes/child.ts";
import { type TempDir, tempDir } from "./support/temp_dir.ts";

/** A driver, and the paths that it was given. */
async function observed(
  { name }: TestDriver,
): Promise<{ driver: Driver; paths: string[] }> {
  const real = await loadDriver(name);
  const paths: string[] = [];
  const open: Driver["open"] = (location) => {
    paths.push(location.path);
    return real.open(location);
  };
  return { driver: { name: real.name, open }, paths };
}

/**
 * Runs a program, and gives what it tells, line by line, as JSON. The current
 * directory is the process's: another one is for a process of its own.
 */
async function toldBy(
  { name }: TestDriver,
  { path }: TempDir,
  program: string,
): Promise<unknown[]> {
  const { code, stdout, stderr } = await runChild(
    path,
    `const driver = "${name}";
    const tell = (value) => console.log(JSON.stringify(value));
    const failure = (work) => work().then(() => "done", (error) => error.message);
    ${program}`,
    { permissions: ["--allow-all"] },
  );
  assertEquals([code, stderr], [0, ""]);
  return stdout.split("\n").map((line) => JSON.parse(line));
}

async function realPathIn({ path }: TempDir, name: string): Promise<string> {
  return join(await Deno.realPath(path), name);
}

testOnEachDriver(
  "a store opened by a relative path works in any directory",
  async (driver) => {
    await using dir = await tempDir();
    await using elsewhere = await tempDir();
    const path = await realPathIn(dir, "app.db");
    const told = await toldBy(
      driver,
      dir,
      `const watched = [];
      const { promise, resolve } = Promise.withResolvers();
      const { watchFs } = Deno;
      Deno.watchFs = (path, options) => {
        const watcher = watchFs(path, options);
        watched.push(path);
        resolve();
        return watcher;
      };
      await using store = await zestor.openStore({ path: "app.db", driver });
      await store.set("k", "a", 1);
      Deno.chdir(${JSON.stringify(elsewhere.path)});

      const { path, size } = await store.info();
      tell([path, size === (await Deno.stat(path)).size]);
      tell(await store.verify());
      tell((await new Response(store.export({ times: false })).text())
        .includes('"key":"a"'));
      await store.backup("backup.db");

      const changes = store.watch("k").getReader();
      const next = changes.read();
      await promise;
      tell(watched);
      await store.set("k", "b", 2);
      tell((await next).value.key);
      await changes.cancel();

      // Another file of that name is not the store's.
      await Deno.writeTextFile("app.db", "");
      tell(await failure(() => store.set("k", "c", 3)));
      await Deno.remove(path);
      tell((await failure(() => store.set("k", "d", 4)))
        .includes("the open file is no longer at its path"));`,
    );
    const expected = [[path, true], [], true, [`${path}-wal`], "b", "done"];
    assertEquals(told, [...expected, true]);
    assertEquals((await Deno.stat(elsewhere.file("backup.db"))).isFile, true);
  },
);

/** Links that lead to `real/app.db`, by what they are. */
const LINKS: Record<string, (dir: TempDir) => Promise<string>> = {
  async "a link"(dir) {
    await Deno.symlink("real/app.db", dir.file("link.db"));
    return dir.file("link.db");
  },
  async "a link in a directory behind a link"(dir) {
    await Deno.symlink("real", dir.file("directory"));
    await Deno.symlink("app.db", dir.file("real/link.db"));
    return dir.file("directory/link.db");
  },
  async "a link to a link"(dir) {
    await Deno.symlink(dir.file("real/app.db"), dir.file("real/second.db"));
    await Deno.symlink("real/second.db", dir.file("link.db"));
    return dir.file("link.db");
  },
  async "the parent of a directory behind a link"(dir) {
    await Deno.mkdir(dir.file("real/inner"));
    await Deno.symlink("real/inner", dir.file("directory"));
    return `${dir.file("directory")}/../app.db`;
  },
  async "a link to the parent of a directory behind a link"(dir) {
    await Deno.mkdir(dir.file("real/inner"));
    await Deno.symlink("real/inner", dir.file("directory"));
    await Deno.symlink("directory/../app.db", dir.file("link.db"));
    return dir.file("link.db");
  },
};

for (const [name, makeLink] of Object.entries(LINKS)) {
  testOnEachDriver(
    `a store behind ${name} is opened by its real path, new or not`,
    async (testDriver) => {
      await using dir = await tempDir();
      await Deno.mkdir(dir.file("real"));
      const { driver, paths } = await observed(testDriver);
      const path = await makeLink(dir);
      const file = await realPathIn(dir, "real/app.db");
      for (const expected of [undefined, 1]) {
        await using store = await openStore({ path, driver });
        assertEquals((await store.info()).path, file);
        assertEquals(await store.get("k", "a"), expected);
        await store.update("k", "a", (n) => Number(n) + 1, { initial: 0 });
        assertEquals(await store.verify(), []);
        await new Response(store.export()).bytes();
        assertEquals((await store.info()).walSize > 0, true);
      }
      assertEquals(new Set(paths), new Set([file]));
    },
  );
}

testOnEachDriver(
  "a backup to a directory behind a link is written by its real path",
  async (testDriver) => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("real"));
    await Deno.symlink("real", dir.file("directory"));
    const { driver, paths } = await observed(testDriver);
    await using store = await openStore({ path: dir.file("app.db"), driver });
    paths.length = 0;
    await store.backup(dir.file("directory/backup.db"));
    const real = await realPathIn(dir, "real");
    assertEquals(new Set(paths.map((path) => dirname(path))), new Set([real]));
    assertEquals((await Deno.stat(join(real, "backup.db"))).isFile, true);
  },
);

testOnEachDriver("`openStore()` refuses links in a circle", async (driver) => {
  await using dir = await tempDir();
  await Deno.symlink("b.db", dir.file("a.db"));
  await Deno.symlink("a.db", dir.file("b.db"));
  await Deno.symlink("c.db", dir.file("c.db"));
  for (const name of ["a.db", "c.db", "c.db/d.db"]) {
    const path = dir.file(name);
    const error = await assertRejects(
      () => openOn(driver, { path }),
      StoreOpenError,
      `Cannot open store at ${path}: its symbolic links lead in a circle`,
    );
    assertEquals(error.code, "OPEN");
  }
});

testOnEachDriver(
  "`openStore()` refuses a link to a directory",
  async (driver) => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("real"));
    await Deno.symlink("real", dir.file("link.db"));
    await assertRejects(
      () => openOn(driver, { path: dir.file("link.db") }),
      StoreOpenError,
      "link.db: it is a directory; give the path of a file",
    );
  },
);

testOnEachDriver(
  "`openStore()` refuses a link into a directory that is not there",
  async (driver) => {
    await using dir = await tempDir();
    await Deno.symlink("missing/app.db", dir.file("link.db"));
    await assertRejects(
      () => openOn(driver, { path: dir.file("link.db") }),
      StoreOpenError,
      "check that its directory exists",
    );
  },
);

testOnEachDriver(
  "`openStore()` tells of a directory that is gone",
  async (driver) => {
    await using dir = await tempDir();
    const [message] = await toldBy(
      driver,
      dir,
      `await Deno.mkdir("gone");
      Deno.chdir("gone");
      await Deno.remove("../gone");
      tell(await failure(() => zestor.openStore({ path: "app.db", driver })));`,
    );
    assertStringIncludes(
      String(message),
      "the current directory is unknown; give an absolute path",
    );
  },
);

/** Directories in a directory, so that the path of a file there has so many bytes. */
async function deepPath(dir: TempDir, bytes: number): Promise<string> {
  let path = await Deno.realPath(dir.path);
  while (bytes - path.length > 150) path = join(path, "d".repeat(100));
  await Deno.mkdir(path, { recursive: true });
  return join(path, "f".repeat(bytes - path.length - 1));
}

testOnEachDriver(
  "`openStore()` and `backup()` tell of a path that is too long",
  async (driver) => {
    await using dir = await tempDir();
    const longest = await deepPath(dir, 504);
    await using store = await openOn(driver, { path: longest });
    await store.set("k", "a", 1);

    const longer = await deepPath(dir, 505);
    const problem =
      "the absolute path has 505 bytes, and SQLite opens paths of up to 504 bytes; use a shorter path";
    await assertRejects(
      () => openOn(driver, { path: longer }),
      StoreOpenError,
      problem,
    );
    const [message] = await toldBy(
      driver,
      dir,
      `Deno.chdir(${JSON.stringify(dirname(longer))});
      const path = ${JSON.stringify(basename(longer))};
      tell(await failure(() => zestor.openStore({ path, driver })));`,
    );
    assertStringIncludes(String(message), problem);
    // It is written beside its path first, under a name of 13 bytes more.
    await assertRejects(
      () => store.backup(longer.slice(0, -13)),
      StoreError,
      `the copy is first written under a longer name: ${problem}`,
    );
    assertEquals(await store.get("k", "a"), 1);
  },
);

testOnEachDriver(
  "`openStore()` tells of a file name that is too long",
  async (driver) => {
    await using dir = await tempDir();
    await using store = await openOn(driver, {
      path: dir.file("f".repeat(247)),
    });
    await store.set("k", "a", 1);
    for (const bytes of [248, 256]) {
      await assertRejects(
        () => openOn(driver, { path: dir.file("f".repeat(bytes)) }),
        StoreOpenError,
        `the file's name has ${bytes} bytes, and SQLite can use names of up to 247 bytes`,
      );
    }
  },
);

// What Deno permits, for a link to a file in another directory.
const WRITES = "await store.set('k', 'a', 1);";
const READS = "console.log(await store.get('k', 'a'));";

/** Opens `link.db` in a process with some permissions only; gives what it prints. */
async function openRestricted(
  { path }: TempDir,
  dsn: string,
  work: string,
  permissions: string[],
): Promise<string> {
  const program = `
    try {
      await using store = await zestor.openStore({ path: "${dsn}" });
      ${work}
      console.log((await store.info()).path);
    } catch (error) {
      console.log(error.name, error.message);
    }
  `;
  const options = { permissions: ["--no-prompt", ...permissions] };
  const { stdout, stderr } = await runChild(path, program, options);
  assertEquals(stderr, "");
  return stdout;
}

Deno.test("a link opens with the permission for one of its two paths", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("real"));
  await Deno.symlink("real/app.db", dir.file("link.db"));
  const real = await realPathIn(dir, "real/app.db");
  const link = await realPathIn(dir, "link.db");
  const both = (paths: string) => [
    `--allow-read=${paths}`,
    `--allow-write=${paths}`,
  ];
  const open = (work: string, permissions: string[], dsn = "link.db") =>
    openRestricted(dir, dsn, work, permissions);

  // It creates the file, first with the link's path alone.
  assertEquals(await open(WRITES, both("link.db")), link);
  assertEquals((await Deno.stat(real)).isFile, true);
  assertEquals(await open(READS, both("link.db")), `1\n${link}`);
  assertEquals(await open(READS, both("link.db,real")), `1\n${real}`);
  await Deno.remove(real);
  assertEquals(await open(WRITES, both("link.db,real")), real);
  await Deno.remove(real);
  assertEquals(await open(WRITES, both(".")), real);

  const readOnly = "file:link.db?mode=ro";
  for (
    const [paths, path] of [["link.db", link], ["link.db,real", real], [
      ".",
      real,
    ]]
  ) {
    const permissions = [`--allow-read=${paths}`];
    assertEquals(await open(READS, permissions, readOnly), `1\n${path}`);
  }
  for (const dsn of ["link.db", readOnly]) {
    assertStringIncludes(
      await open(READS, both("real"), dsn),
      "StoreOpenError Cannot open store at",
    );
  }
});

Deno.test("a new file opens with the permission for its path alone", async () => {
  await using dir = await tempDir();
  const path = await realPathIn(dir, "app.db");
  const permissions = ["--allow-read=app.db", "--allow-write=app.db"];
  assertEquals(await openRestricted(dir, "app.db", WRITES, permissions), path);
});
