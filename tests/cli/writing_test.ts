/**
 * The commands that write: what they take for a value, what they refuse, and
 * that nothing comes of what is refused.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { yaml } from "../../src/values/codecs/yaml.ts";
import { openStore } from "../../mod.ts";
import { type CliOptions, openBeside, runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** The command in a directory of its own, on a store that is not there yet. */
async function freshCli() {
  const dir = await tempDir();
  const run = (args: string[], options: Partial<CliOptions> = {}) =>
    runCli(args, { cwd: dir.path, env: { ZESTOR_DB: "app.db" }, ...options });
  return {
    dir,
    run,
    /** Runs it, and gives what it printed, read as JSON. */
    async done(args: string[], options?: Partial<CliOptions>) {
      const { code, stdout, stderr } = await run(args, options);
      assertEquals({ stderr, code }, { stderr: "", code: 0 }, args.join(" "));
      return JSON.parse(stdout);
    },
    exists: () => Deno.stat(dir.file("app.db")).then(() => true, () => false),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

test("`zestor set` writes a value, and prints the result", async () => {
  await using cli = await freshCli();
  const set = (value: string) => cli.done(["set", "users", "a", value]);
  assertEquals(await set(`{"n": 1}`), {
    status: "created",
    version: 1,
    revision: 1,
  });
  assertEquals(await set(`{"n":1}`), {
    status: "unchanged",
    version: 1,
    revision: 1,
  });
  assertEquals(await set("2"), { status: "updated", version: 2, revision: 2 });

  const table = await cli.run(["set", "users", "a", "3", "--format", "table"]);
  assertEquals(table.stdout, "STATUS    updated\nVERSION   3\nREVISION  3\n");
  await using store = await openBeside(cli.dir.file("app.db"));
  assertEquals(await store.get("users", "a"), 3);
});

test("`zestor set` reads standard input if the value is - or absent", async () => {
  await using cli = await freshCli();
  await cli.done(["set", "k", "absent"], { input: `{"from": "input"}\n` });
  await cli.done(["set", "k", "hyphen", "-"], { input: "[1, 2]" });
  await cli.done(["set", "k", "bom"], { input: "\ufeff true " });
  await cli.done(["set", "k", "large"], { input: `"${"é".repeat(500_000)}"` });
  await using store = await openBeside(cli.dir.file("app.db"));
  assertEquals(await store.get("k", "absent"), { from: "input" });
  assertEquals(await store.get("k", "hyphen"), [1, 2]);
  assertEquals(await store.get("k", "bom"), true);
  assertEquals(await store.get("k", "large"), "é".repeat(500_000));
});

test("`zestor set` keeps all that JSON can express", async () => {
  await using cli = await freshCli();
  const values: Record<string, string> = {
    zero: "-0",
    fraction: "-1.5",
    digits: "0.10000000000000001",
    large: "1e300",
    round: "100000000000000000000",
    surrogate: `"\\ud800"`,
    proto: `{"__proto__":{"a":[]},"":{"a":{"a":1}}}`,
    inString: `{"a":"\\"a\\":12345678901234567890,{[}","b":[{"a":1},{"a":2}]}`,
  };
  await Promise.all(
    Object.entries(values).map(([key, value]) =>
      cli.done(["set", "k", key, "--", value])
    ),
  );
  await using store = await openBeside(cli.dir.file("app.db"));
  for (const [key, value] of Object.entries(values)) {
    assertEquals(await store.get("k", key), JSON.parse(value), key);
  }
  assert(Object.is(await store.get("k", "zero"), -0));
});

const refusedValues: [value: string | Uint8Array<ArrayBuffer>, why: RegExp][] =
  [
    ["{", /Expected property name.* \(line 1 column 2\)/],
    ["[1,\n 2, x]", /Unexpected token 'x'.* \(line 2 column 5\)/],
    ["nul", /Unexpected end of JSON input \(line 1 column 4\)/],
    ["1 2", /Unexpected non-whitespace.* \(line 1 column 3\)/],
    [`{"a":1}{"a":2}`, /Unexpected non-whitespace/],
    [`{"b":{},"a":1,\n"a":2}`, /"a" comes twice .*\(line 2 column 1\)/],
    [`{"a":1,"\\u0061":2}`, /"a" comes twice/],
    [
      "[1, 12345678901234567890]",
      /"12345678901234567890" would become 12345678901234567000; write it as a string \(line 1 column 5\)/,
    ],
    ["9007199254740993", /would become 9007199254740992/],
    ["3.14159265358979323846", /would become 3\.14159/],
    ["1e999", /would become Infinity/],
    ["1e-999", /would become 0/],
    [" \n", /it is empty/],
    ["", /it is empty/],
    ["NaN", /"NaN" is not valid JSON \(line 1 column 1\)/],
    [new Uint8Array([34, 195, 169, 239, 191, 189, 255, 34]), /\(byte 7\)/],
  ];

test("`zestor set` refuses values that are not JSON, or would be altered, and creates no file", async () => {
  await using cli = await freshCli();
  const results = await Promise.all(
    refusedValues.map(([input]) => cli.run(["set", "k", "a"], { input })),
  );
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    assertMatch(
      stderr,
      /^zestor: Cannot read the value from standard input as JSON: .*\n$/,
    );
    assertMatch(stderr, refusedValues[i][1]);
    assertEquals([code, stdout], [2, ""]);
  }
  assertEquals(await cli.exists(), false);
});

test("`zestor set` refuses names that cannot be, and makes no file", async () => {
  await using cli = await freshCli();
  const results = await Promise.all([
    cli.run(["set", "", "a", "1"]),
    cli.run(["set", "k", "", "1"]),
    cli.run(["set", "k"]),
    cli.run(["set", "k", "a", "1", "2"]),
    cli.run(["set", "k", "a", "-5"]),
    cli.run(["set", "k", "a", "1", "--if-version", "-1"]),
    cli.run(["set", "k", "a", "1", "--if-version", "one"]),
  ]);
  for (const { code, stdout, stderr } of results) {
    assertMatch(stderr, /^zestor: .*; .*see zestor set --help\n$/);
    assertEquals([code, stdout], [2, ""]);
  }
  assertMatch(results[0].stderr, /Cannot use "" as a kind: it is empty/);
  assertMatch(
    results[4].stderr,
    /put "--" before an argument that begins with a hyphen/,
  );
  assertEquals(await cli.exists(), false);
});

test("`zestor set --if-version` writes only if the entry has this version", async () => {
  await using cli = await freshCli();
  const set = (value: string, version: string) =>
    cli.run(["set", "k", "a", value, "--if-version", version]);
  // No file is made for what cannot be there.
  const missing = await set("0", "1");
  assertMatch(missing.stderr, /there is no such file/);
  assertEquals([missing.code, await cli.exists()], [3, false]);

  assertEquals((await set("1", "0")).code, 0);
  assertEquals((await set("2", "1")).code, 0);
  for (const version of ["0", "1", "3"]) {
    const { code, stdout, stderr } = await set("3", version);
    assertMatch(stderr, /^zestor: Cannot write "k"\/"a": expected .*\n$/);
    assertEquals([code, stdout], [1, ""]);
  }
  await using store = await openBeside(cli.dir.file("app.db"));
  assertEquals(await store.get("k", "a"), 2);
});

test("`zestor delete` prints the deleted entry, and exits with 1 if there is none", async () => {
  await using cli = await freshCli();
  const missing = await cli.run(["delete", "k", "a"]);
  assertMatch(missing.stderr, /there is no such file/);
  assertEquals([missing.code, await cli.exists()], [3, false]);

  await cli.done(["set", "k", "a", `{"b":1}`]);
  const conflict = await cli.run(["delete", "k", "a", "--if-version", "2"]);
  assertMatch(conflict.stderr, /expected version 2, found version 1/);
  assertEquals(conflict.code, 1);

  const { updatedAt, ...deleted } = await cli.done([
    "delete",
    "k",
    "a",
    "--if-version=1",
  ]);
  assertMatch(updatedAt, /Z$/);
  assertEquals(deleted, {
    kind: "k",
    key: "a",
    value: { b: 1 },
    version: 1,
    revision: 1,
    deleteRevision: 2,
  });
  const again = await cli.run(["delete", "k", "a"]);
  assertEquals(again, {
    code: 1,
    stdout: "",
    stderr: `zestor: Cannot delete "k"/"a": there is no such entry\n`,
  });
});

test("with --codec yaml values are YAML, in the file and on the command line", async () => {
  await using cli = await freshCli();
  const codec = ["--codec", "yaml"];
  await cli.done(["set", "k", "a", "b: [1, two]\nc: .nan", ...codec]);
  await cli.done(["set", "k", "json", `{"b": 1}`, "--input=json", ...codec]);
  await cli.done(["set", "k", "time", "at: 2020-01-01", ...codec]);
  const shown = await cli.run(["get", "k", "a", "--format", "yaml", ...codec]);
  assertMatch(shown.stdout, /\nc: \.(nan|NaN)\n$/);

  const refused = await cli.run(["get", "k", "a", ...codec]);
  assertMatch(
    refused.stderr,
    /Cannot print as JSON: .*NaN.*; use --format yaml\n$/,
  );
  assertEquals([refused.code, refused.stdout], [2, ""]);
  assertEquals(await cli.done(["get", "k", "time", ...codec]), {
    at: "2020-01-01T00:00:00.000Z",
  });

  const other = await cli.run(["get", "k", "a"]);
  assertMatch(other.stderr, /encoded with the codec "yaml", received "json"/);
  assertEquals(other.code, 3);
  await using store = await openStore({
    path: cli.dir.file("app.db"),
    driver: "builtin",
    codec: yaml,
  });
  assertEquals(await store.get("k", "a"), { b: [1, "two"], c: NaN });
  assertEquals(await store.get("k", "json"), { b: 1 });
});

test("--input yaml reads YAML for a store with JSON, and refuses values that JSON would lose", async () => {
  await using cli = await freshCli();
  const set = (key: string, input: string) =>
    cli.run(["set", "k", key, "--input", "yaml"], { input });
  const refused: [input: string, why: RegExp][] = [
    ["a: [1", /as YAML: .+/],
    ["{a: 1, a: 2}", /as YAML: .+/],
    ["a: 1\nb: 12345678901234567890", /would become .* \(line 2 column 4\)/],
    ["a: 2020-01-01", /JSON has no form for the time 2020-01-01T/],
    ["a: .nan", /NaN at a/],
    ["--- 1\n--- 2", /as YAML: .+/],
    ["", /it is empty/],
  ];
  const results = await Promise.all(
    refused.map(([input]) => set("a", input)),
  );
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const [input, why] = refused[i];
    assertMatch(stderr, /^zestor: .*\n$/);
    assertMatch(stderr, why);
    assertEquals([code, stdout], [2, ""], input);
  }
  assertEquals(await cli.exists(), false);

  const kept = `# a comment\na: &x [1, "12345678901234567890"]\nb: *x\n`;
  assertEquals((await set("a", kept)).code, 0);
  await using store = await openBeside(cli.dir.file("app.db"));
  const list = [1, "12345678901234567890"];
  assertEquals(await store.get("k", "a"), { a: list, b: list });
});
