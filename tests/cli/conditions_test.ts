/**
 * Writes with conditions, entries that expire, and deleting many.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openStore } from "../../mod.ts";
import { hereIn, outputOfCli, runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** A directory with a store of some entries. */
async function setUp() {
  const dir = await tempDir();
  const store = await openStore({
    path: dir.file("app.db"),
    driver: "builtin",
  });
  await store.setAll("k", { "a/1": 1, "a/2": 2, b: 3 });
  const here = hereIn(dir.path);
  return {
    dir,
    store,
    here,
    run: (...args: string[]) => runCli(args, here),
    record: async (...args: string[]) =>
      JSON.parse(await outputOfCli(args, here)),
    async [Symbol.asyncDispose]() {
      await store.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

test("--if-revision writes only if the last change is that one", async () => {
  await using it = await setUp();
  const conflict = await it.run("set", "k", "b", "4", "--if-revision", "2");
  assertEquals(conflict, {
    code: 1,
    stdout: "",
    stderr:
      'zestor: Cannot write "k"/"b": expected revision 2, found revision 3; read the entry again and retry\n',
  });
  assertEquals(await it.record("set", "k", "b", "4", "--if-revision", "3"), {
    status: "updated",
    version: 2,
    revision: 4,
  });
  assertEquals(await it.record("set", "k", "c", "5", "--if-revision=0"), {
    status: "created",
    version: 1,
    revision: 5,
  });
  // An entry of the same version that was made again is another one.
  await it.store.delete("k", "c");
  await it.store.set("k", "c", 6);
  const other = await it.run("delete", "k", "c", "--if-revision", "5");
  assertEquals(other.code, 1);
  const deleted = await it.record("delete", "k", "c", "--if-revision", "7");
  assertEquals([deleted.value, deleted.revision, deleted.deleteRevision], [
    6,
    7,
    8,
  ]);
  for (
    const args of [["set", "k", "b", "9"], ["delete", "k", "b"]]
  ) {
    const both = await it.run(...args, "--if-version=1", "--if-revision=1");
    assertEquals(both.code, 2);
    assertStringIncludes(
      both.stderr,
      `Cannot ${args[0]}: --if-version and --if-revision exclude each other`,
    );
  }
  // A condition on an entry that is there makes no file.
  const none = await it.run(
    ...["set", "k", "a", "1", "--if-revision", "1", "--db", "none.db"],
  );
  assertEquals(none.code, 3);
});

test("set --expire-in gives an entry an end, which entry and list tell", async () => {
  await using it = await setUp();
  const before = Date.now();
  await it.record("set", "k", "b", "9", "--expire-in", "10m");
  const after = Date.now();
  const { expiresAt } = await it.record("entry", "k", "b");
  const time = Date.parse(expiresAt);
  assert(time >= before + 600_000 && time <= after + 600_000);
  const listed = await outputOfCli(["list", "k", "--versions"], it.here);
  const records = listed.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(records.map(({ expiresAt }) => expiresAt), [
    undefined,
    undefined,
    expiresAt,
  ]);
  assertStringIncludes(
    await outputOfCli(["entry", "k", "b", "--format", "table"], it.here),
    `EXPIRES   ${expiresAt}\n`,
  );
  // A write without it makes the entry last.
  await it.record("set", "k", "b", "9");
  assertEquals((await it.record("entry", "k", "b")).expiresAt, undefined);
  const wrong: [duration: string, problem: string][] = [
    ["10", 'The duration "10" has no unit'],
    ["0s", "is 0"],
    ["-1s", "Expected a duration"],
    ["40000d", "give at most 36500d"],
  ];
  for (const [duration, problem] of wrong) {
    const { code, stderr } = await it.run(
      ...["set", "k", "b", "1", `--expire-in=${duration}`],
    );
    assertEquals(code, 2);
    assertStringIncludes(stderr, problem);
  }
});

test("edit, copy and rename keep when an entry expires", async () => {
  await using it = await setUp();
  await it.record("set", "k", "b", "9", "--expire-in", "1h");
  const { expiresAt } = await it.record("entry", "k", "b");
  if (Deno.build.os !== "windows") {
    await it.record("edit", "k", "b", "--editor", "sed -i.old s/9/10/");
    assertEquals((await it.record("entry", "k", "b")).expiresAt, expiresAt);
  }
  await it.record("copy", "k", "l");
  await it.record("rename", "l", "m");
  const moved = await it.record("entry", "m", "b");
  // What is left of it is counted in whole ms.
  const drift = Date.parse(moved.expiresAt) - Date.parse(expiresAt);
  assert(Math.abs(drift) <= 1_000, `${drift} ms`);
  assertEquals((await it.record("entry", "m", "a/1")).expiresAt, undefined);
});

test("delete --prefix and --all delete many, in one transaction", async () => {
  await using it = await setUp();
  assertEquals(await it.record("delete", "k", "--prefix", "a/"), {
    deleted: 2,
    revision: 5,
  });
  assertEquals(await it.store.keys("k"), ["b"]);
  assertEquals(await it.record("delete", "k", "--prefix", "none"), {
    deleted: 0,
    revision: 5,
  });
  assertEquals(
    await outputOfCli(["delete", "k", "--all", "--format", "table"], it.here),
    "DELETED   1\nREVISION  6\n",
  );
  assertEquals(await it.store.kinds(), []);
});

test("delete refuses arguments that select no entries, or select them twice", async () => {
  await using it = await setUp();
  const choose = "Cannot delete: give one of KEY, --prefix and --all";
  const cases: [args: string[], problem: string][] = [
    [[], choose],
    [["b", "--all"], choose],
    [["b", "--prefix", "a"], choose],
    [["--all", "--prefix", "a"], choose],
    [["--prefix", ""], "an empty --prefix selects every key; give --all"],
    [["--all", "--if-version", "1"], "need a KEY"],
    [["--prefix", "a", "--if-revision", "0"], "need a KEY"],
  ];
  await Promise.all(cases.map(async ([args, problem]) => {
    const { code, stdout, stderr } = await it.run("delete", "k", ...args);
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, problem);
  }));
  assertEquals(await it.store.count("k"), 3);
});
