/**
 * `zestor backup` and `zestor info`, as processes of their own.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { openStore, type SqliteStore } from "../../mod.ts";
import { textOf } from "../../src/testing/reading.ts";
import { hereIn, outputOfCli, runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

const open = (path: string): Promise<SqliteStore> =>
  openStore({ path, driver: "builtin", durability: "normal" });

test("backup copies a store that is being written to", async () => {
  await using dir = await tempDir();
  const here = hereIn(dir.path);
  await using store = await open(dir.file("app.db"));
  let running = true;
  const writing = (async () => {
    for (let n = 1; running; n++) {
      await store.atomic().set("a", "n", n).set("b", "n", n).commit();
    }
  })();
  const printed = await outputOfCli(["backup", "copy.db"], here);
  running = false;
  await writing;
  const { size } = await Deno.stat(dir.file("copy.db"));
  assertEquals(printed, `{"path":"copy.db","size":${size}}\n`);
  await using copy = await open(dir.file("copy.db"));
  assertEquals(await copy.get("a", "n"), await copy.get("b", "n"));
  assertEquals(await copy.verify(), []);
});

test("backup replaces a file with --force alone", async () => {
  await using dir = await tempDir();
  const here = hereIn(dir.path);
  await using store = await open(dir.file("app.db"));
  await store.set("k", "a", 1);
  await Deno.writeTextFile(dir.file("there"), "not a store");
  const refused = await runCli(["backup", "there"], here);
  assertEquals(refused, {
    code: 2,
    stdout: "",
    stderr:
      'zestor: Cannot back up to "there": there is a file already; give another path, or --force\n',
  });
  assertEquals(await Deno.readTextFile(dir.file("there")), "not a store");
  const printed = await outputOfCli(
    ["backup", "there", "--force", "--format", "table"],
    here,
  );
  assertEquals(printed.split("\n")[0], "PATH  there");
  await using copy = await open(dir.file("there"));
  assertEquals(await textOf(copy.export()), await textOf(store.export()));
});

test("backup prints one line for an error, and leaves nothing behind", async () => {
  await using dir = await tempDir();
  const here = hereIn(dir.path);
  await using store = await open(dir.file("app.db"));
  await store.set("k", "a", 1);
  const cases: [args: string[], code: number, problem: string][] = [
    [[], 2, "FILE"],
    [[""], 2, "expected the path of a file"],
    [["file:copy.db"], 2, "expected the path of a file"],
    [["none/copy.db"], 3, "check that its directory exists"],
    [["app.db", "--force"], 3, "it is the store's own file"],
    [["copy.db", "--db", "none.db"], 3, "none.db"],
  ];
  await Promise.all(cases.map(async ([args, code, problem]) => {
    const result = await runCli(["backup", ...args], here);
    assertEquals([result.code, result.stdout], [code, ""], args.join(" "));
    assertStringIncludes(result.stderr, problem);
    assertEquals(result.stderr.trimEnd().split("\n").length, 1);
  }));
  const left = await Array.fromAsync(Deno.readDir(dir.path));
  assertEquals(
    left.map(({ name }) => name).filter((name) => !name.startsWith("app.db")),
    [],
  );
});

test("info prints information about a store", async () => {
  await using dir = await tempDir();
  const here = hereIn(dir.path);
  await using store = await open(dir.file("app.db"));
  await store.setAll("users", { alice: 1, bob: 2 });
  await store.set("\u001b[31m", "x", 1);
  await store.delete("users", "bob");
  const found = await store.info();
  assertEquals(JSON.parse(await outputOfCli(["info"], here)), found);
  const { path, sqliteVersion, size, walSize } = found;
  const table = await outputOfCli(["info", "--format", "table"], here);
  assertEquals(table.trimEnd().split("\n").map((line) => line.trimEnd()), [
    `PATH               ${path}`,
    `DRIVER             builtin, SQLite ${sqliteVersion}`,
    `FORMAT             3`,
    `CODECS             {"fallback":"json","named":[]}`,
    `JOURNAL            wal`,
    `SIZE               ${size} bytes, write-ahead log ${walSize} bytes`,
    `LOG                4 changes, revisions 1 to 4`,
    String.raw`KIND "\u001b[31m"  1`,
    `KIND users         1`,
  ]);
});

test("backup and info need the permissions that their help names", async () => {
  await using dir = await tempDir();
  await using store = await open(dir.file("app.db"));
  await store.set("k", "a", 1);
  await Deno.mkdir(dir.file("backups"));
  await outputOfCli(["backup", "backups/monday.db", "--db", "app.db"], {
    cwd: dir.path,
    permissions: ["--allow-read=app.db,backups", "--allow-write=backups"],
  });
  await outputOfCli(["info", "--db", "app.db"], {
    cwd: dir.path,
    permissions: ["--allow-read=app.db,app.db-wal"],
  });
  const without: [args: string[], permissions: string[], missing: string][] = [
    [["backup", "backups/b.db"], ["--allow-read"], "--allow-write=backups"],
    [["backup", "backups/b.db"], ["--allow-read=app.db"], "--allow-read="],
    [["info"], ["--allow-read=app.db"], "--allow-read=app.db-wal"],
  ];
  await Promise.all(without.map(async ([args, permissions, missing]) => {
    const { code, stderr } = await runCli([...args, "--db", "app.db"], {
      cwd: dir.path,
      permissions,
    });
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, missing);
  }));
});
