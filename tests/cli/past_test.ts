/**
 * What the command prints of the past: `zestor log`, and `--at`.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openStore } from "../../mod.ts";
import { textOf } from "../../src/testing/reading.ts";
import { hereIn, outputOfCli, runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** A directory with a store that six changes were made in. */
async function setUp() {
  const dir = await tempDir();
  const store = await openStore({
    path: dir.file("app.db"),
    driver: "builtin",
  });
  await store.set("k", "a", { n: 1 });
  await store.set("k", "b", "x", { expireIn: 3_600_000 });
  await store.set("k", "a", { n: 2 });
  await store.set("other", "z", true);
  await store.delete("k", "b");
  await store.set("k", "ab", null);
  const here = hereIn(dir.path);
  return {
    dir,
    store,
    here,
    print: (...args: string[]) => outputOfCli(args, here),
    async [Symbol.asyncDispose]() {
      await store.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The records of lines; each has the time of its change. */
function recordsOf(lines: string): Record<string, unknown>[] {
  return lines.trimEnd().split("\n").map((line) => {
    const { changedAt, ...record } = JSON.parse(line);
    assertMatch(changedAt, TIME);
    return record;
  });
}

/** The type, key and revision of each record. */
function namesIn(lines: string): string[] {
  return lines === "" ? [] : recordsOf(lines)
    .map(({ type, key, revision }) => `${type} ${key} ${revision}`);
}

test("`zestor log` prints the changes of a kind", async () => {
  await using it = await setUp();
  const records = recordsOf(await it.print("log", "k"));
  const { expiresAt, ...second } = records[1];
  assertMatch(String(expiresAt), TIME);
  const entry = (key: string, version: number, revision: number) => ({
    kind: "k",
    key,
    version,
    revision,
  });
  assertEquals(records.toSpliced(1, 1, second), [
    { type: "create", ...entry("a", 1, 1), value: { n: 1 } },
    { type: "create", ...entry("b", 1, 2), value: "x" },
    { type: "update", ...entry("a", 2, 3), value: { n: 2 } },
    { type: "delete", ...entry("b", 1, 5), value: "x" },
    { type: "create", ...entry("ab", 1, 6), value: null },
  ]);
});

test("`zestor log` takes a key, a prefix, a place, a limit and an order", async () => {
  await using it = await setUp();
  const { cursor } = (await Array.fromAsync(it.store.history("k")))[1];
  const cases: [args: string[], changes: string[]][] = [
    [["a"], ["create a 1", "update a 3"]],
    [["--prefix", "a"], ["create a 1", "update a 3", "create ab 6"]],
    [["--after", "3"], ["delete b 5", "create ab 6"]],
    [["--after", cursor, "--limit", "1"], ["update a 3"]],
    [["--reverse", "--limit", "2"], ["create ab 6", "delete b 5"]],
    [["b", "--reverse"], ["delete b 5", "create b 2"]],
    [["none"], []],
    [["--limit", "0"], []],
  ];
  await Promise.all(cases.map(async ([args, changes]) => {
    const printed = await it.print("log", "k", ...args);
    assertEquals(namesIn(printed), changes, args.join(" "));
  }));
});

test("`zestor log --previous` tells the value before, in every format", async () => {
  await using it = await setUp();
  const log = (...args: string[]) =>
    it.print("log", "k", "a", "--previous", ...args);
  const [lines, json, yaml, table, plain] = await Promise.all([
    log(),
    log("--format", "json"),
    log("--format", "yaml"),
    log("--format", "table"),
    it.print("log", "k", "--format", "table", "--after", "4"),
  ]);
  const [created, updated] = recordsOf(lines);
  assertEquals("previous" in created, false);
  assertEquals(updated.previous, { n: 1 });
  assertEquals(
    Object.keys(updated),
    ["type", "kind", "key", "value", "previous", "version", "revision"],
  );
  const records = lines.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(JSON.parse(json), records);
  assertStringIncludes(yaml, "- type: update\n");
  const time = (i: number) => records[i].changedAt;
  assertEquals(
    table.replaceAll(/ +\n/g, "\n"),
    `REVISION  CHANGED                   TYPE    KEY  VERSION  VALUE    PREVIOUS
1         ${time(0)}  create  a    1        {"n":1}
3         ${time(1)}  update  a    2        {"n":2}  {"n":1}
`,
  );
  assertMatch(plain, /^REVISION +CHANGED +TYPE +KEY +VERSION +VALUE\n/);
});

test("the deletion of an expired entry is marked as expired", async () => {
  await using it = await setUp();
  await it.store.set("short", "a", 1, { expireIn: 1 });
  // Whoever deletes it then, the sweeper or this call, tells of the expiry.
  for await (const { type } of it.store.watch("short", { after: 6 })) {
    if (type === "delete") break;
  }
  const [, deleted] = recordsOf(await it.print("log", "short"));
  assertEquals([deleted.type, deleted.expired], ["delete", true]);
  assertStringIncludes(
    await it.print("log", "short", "--format", "table"),
    "delete (expired)",
  );
});

test("--at reads the store as it was, with every command that reads", async () => {
  await using it = await setUp();
  const { print } = it;
  const entry = JSON.parse(await print("entry", "k", "b", "--at", "3"));
  const { updatedAt, expiresAt, ...rest } = entry;
  assertEquals(rest, {
    kind: "k",
    key: "b",
    value: "x",
    version: 1,
    revision: 2,
  });
  for (const time of [updatedAt, expiresAt]) assertMatch(time, TIME);
  const at = (revision: number, ...args: string[]) =>
    print(...args, "--at", String(revision));
  const answers = await Promise.all([
    at(2, "get", "k", "a"),
    at(3, "get", "k", "b", "--raw"),
    at(3, "list", "k"),
    at(2, "list", "k", "--prefix", "a"),
    at(4, "keys", "k", "--reverse"),
    at(5, "count", "k"),
    at(3, "kinds"),
    at(0, "kinds"),
    at(1, "export", "--no-times"),
  ]);
  assertEquals(answers, [
    '{"n":1}\n',
    "x\n",
    '{"key":"a","value":{"n":2}}\n{"key":"b","value":"x"}\n',
    '{"key":"a","value":{"n":1}}\n',
    '"b"\n"a"\n',
    "1\n",
    '"k"\n',
    "",
    '{"kind":"k","key":"a","value":{"n":1},"version":1}\n',
  ]);
  assertEquals(
    await at(4, "export", "--prefix", "a"),
    await textOf(it.store.export({ at: 4, prefix: "a" })),
  );
  const missing = await runCli(["get", "k", "a", "--at", "0"], it.here);
  assertEquals([missing.code, missing.stdout], [1, ""]);
});

test("a revision that the log does not reach is an error, and so is an invalid one", async () => {
  await using it = await setUp();
  const cases: [args: string[], code: number, problem: string][] = [
    [["get", "k", "a", "--at", "99"], 3, "the store has not reached it"],
    [["list", "k", "--at", "99"], 3, "the store has not reached it"],
    [["export", "--at", "99"], 3, "99"],
    [["log", "k", "--after", "99"], 3, "has not reached it"],
    [
      ["log", "k", "--after", "z1-1-0000000000"],
      3,
      "the cursor is another store's",
    ],
    [["log", "k", "a", "--prefix", "b"], 2, "exclude each other"],
    [["log", "k", "--after", "x"], 2, "Expected a revision or a cursor"],
    [["log", "k", "--after", "z1-1-000"], 2, "Expected a revision or a cursor"],
    [["get", "k", "a", "--at", "-1"], 2, "--at"],
    [["log"], 2, "Expected a `KIND`"],
  ];
  await Promise.all(cases.map(async ([args, code, problem]) => {
    const result = await runCli(args, it.here);
    assertEquals([result.code, result.stdout], [code, ""], result.stderr);
    assertMatch(result.stderr, /^zestor: [^\n]+\n$/);
    assertStringIncludes(result.stderr, problem);
  }));
});
