/**
 * The commands that read: what each prints, in each format.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openBeside, outputOfCli, runCli } from "../support/cli.ts";
import { connect, fileAt } from "../support/connect.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";

const [builtin] = drivers;
const { test } = builtin;

const ALICE = { name: "Alice", tags: ["a", "b"], age: 42.5, address: null };

/** A directory with a store of some entries, and the command on it. */
async function users() {
  const dir = await tempDir();
  {
    await using store = await openBeside(dir.file("app.db"));
    await store.set("users", "alice", ALICE);
    await store.setAll("users", { bob: 1, carol: "x", dan: [] });
    await store.set("notes", "n", true);
  }
  const options = { cwd: dir.path, env: { ZESTOR_DB: "app.db" } };
  return {
    dir,
    run: (...args: string[]) => runCli(args, options),
    print: (...args: string[]) => outputOfCli(args, options),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

test("`zestor get` prints a value as JSON, as YAML and in a table", async () => {
  await using cli = await users();
  const get = (...args: string[]) =>
    cli.print("get", "users", "alice", ...args);
  const line = `${JSON.stringify(ALICE)}\n`;
  const [plain, json, ndjson, yaml, table] = await Promise.all([
    get(),
    get("--format", "json"),
    get("--format", "ndjson"),
    get("--format", "yaml"),
    get("--format=table"),
  ]);
  assertEquals([plain, json, ndjson], [line, line, line]);
  assertMatch(yaml, /^name: Alice\ntags:\n +- a\n +- b\nage: 42\.5\n/);
  assertEquals(table, `VALUE  ${line}`);
});

test("`zestor entry` prints a value with its version, revision and times", async () => {
  await using cli = await users();
  const entry = (...args: string[]) =>
    cli.print("entry", "users", "alice", ...args);
  const [line, json, yaml, table] = await Promise.all([
    entry(),
    entry("--format", "json"),
    entry("--format", "yaml"),
    entry("--format", "table"),
  ]);
  const record = JSON.parse(line);
  assertEquals(Object.keys(record), [
    "kind",
    "key",
    "value",
    "version",
    "revision",
    "updatedAt",
  ]);
  const { updatedAt } = record;
  assertEquals(new Date(updatedAt).toISOString(), updatedAt);
  assertEquals(record, {
    kind: "users",
    key: "alice",
    value: ALICE,
    version: 1,
    revision: 1,
    updatedAt,
  });
  assertEquals(json, line);
  assertStringIncludes(yaml, "\nversion: 1\n");
  assertEquals(
    table.replaceAll(/ +\n/g, "\n"),
    `KIND      users
KEY       alice
VALUE     ${JSON.stringify(ALICE)}
VERSION   1
REVISION  1
UPDATED   ${updatedAt}
EXPIRES
`,
  );
});

test("`zestor list` prints a line for each entry, in the order of their keys", async () => {
  await using cli = await users();
  const list = (...args: string[]) => cli.print("list", "users", ...args);
  const [line, json, yaml, table, none, emptyJson, emptyYaml, emptyTable] =
    await Promise.all([
      list(),
      list("--format", "json"),
      list("--format", "yaml", "--start", "b"),
      list("--format", "table"),
      cli.print("list", "nothing"),
      cli.print("list", "nothing", "--format", "json"),
      cli.print("list", "nothing", "--format", "yaml"),
      cli.print("list", "nothing", "--format", "table"),
    ]);
  const records = [
    { key: "alice", value: ALICE },
    { key: "bob", value: 1 },
    { key: "carol", value: "x" },
    { key: "dan", value: [] },
  ];
  assertEquals(
    line,
    records.map((record) => `${JSON.stringify(record)}\n`).join(""),
  );
  assertEquals(json, `${JSON.stringify(records)}\n`);
  assertEquals(
    yaml.replace(/\n +value/g, "\n  value"),
    "- key: bob\n  value: 1\n- key: carol\n  value: x\n- key: dan\n  value: []\n",
  );
  assertEquals(
    table,
    `KEY    VALUE
alice  ${JSON.stringify(ALICE)}
bob    1
carol  "x"
dan    []
`,
  );
  assertEquals([none, emptyJson, emptyYaml, emptyTable], [
    "",
    "[]\n",
    "[]\n",
    "KEY  VALUE\n",
  ]);
});

test("`zestor keys` and `zestor kinds` print names, a JSON string a line", async () => {
  await using cli = await users();
  const [keys, keysTable, kinds, json, yaml, table] = await Promise.all([
    cli.print("keys", "users"),
    cli.print("keys", "users", "--format", "table"),
    cli.print("kinds"),
    cli.print("kinds", "--format", "json"),
    cli.print("kinds", "--format", "yaml"),
    cli.print("kinds", "--format", "table"),
  ]);
  assertEquals(keys, `"alice"\n"bob"\n"carol"\n"dan"\n`);
  assertEquals(keysTable, "KEY\nalice\nbob\ncarol\ndan\n");
  assertEquals(kinds, `"notes"\n"users"\n`);
  assertEquals(json, `["notes","users"]\n`);
  assertEquals(yaml, "- notes\n- users\n");
  assertEquals(table, "KIND\nnotes\nusers\n");
});

test("`zestor count` prints a number, in every format", async () => {
  await using cli = await users();
  const counts = await Promise.all([
    cli.print("count", "users"),
    cli.print("count", "nothing"),
    cli.print("count", "users", "--format", "table"),
    cli.print("count", "users", "--format", "yaml"),
  ]);
  assertEquals(counts, ["4\n", "0\n", "4\n", "4\n"]);
});

const ranges: [args: string[], keys: string[]][] = [
  [["--prefix", "a"], ["alice"]],
  [["--prefix="], ["alice", "bob", "carol", "dan"]],
  [["--start", "bob"], ["bob", "carol", "dan"]],
  [["--end", "bob"], ["alice"]],
  [["--start", "b", "--end", "d", "--reverse"], ["carol", "bob"]],
  [["--limit", "2"], ["alice", "bob"]],
  [["--limit=1", "--reverse"], ["dan"]],
  [["--limit", "0"], []],
];

for (const [range, expected] of ranges) {
  test(`\`zestor list\`, \`keys\` and \`count\` take ${range.join(" ")}`, async () => {
    await using cli = await users();
    const [list, keys, count] = await Promise.all([
      cli.print("list", "users", "--format", "json", ...range),
      cli.print("keys", ...range, "users", "--format", "json"),
      cli.print("count", "users", ...range),
    ]);
    const listed = JSON.parse(list).map(({ key }: { key: string }) => key);
    assertEquals(listed, expected);
    assertEquals(JSON.parse(keys), expected);
    assertEquals(count, `${expected.length}\n`);
  });
}

test("`zestor get` and `zestor entry` exit with 1 if there is no entry", async () => {
  await using cli = await users();
  const results = await Promise.all([
    cli.run("get", "users", "eve"),
    cli.run("entry", "users", "eve"),
    cli.run("get", "nothing", "alice"),
  ]);
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const name = i === 2 ? `"nothing"/"alice"` : `"users"/"eve"`;
    assertEquals(
      stderr,
      `zestor: Cannot read ${name}: there is no such entry\n`,
    );
    assertEquals([code, stdout], [1, ""]);
  }
});

test("`zestor verify` prints its findings, and exits with 3 if there are any", async () => {
  await using cli = await users();
  const sound = await Promise.all([
    cli.print("verify"),
    cli.print("verify", "--format", "json"),
    cli.print("verify", "--format", "table"),
  ]);
  assertEquals(sound, ["", "[]\n", "Nothing is wrong\n"]);
  {
    using db = await connect(builtin, fileAt(cli.dir.file("app.db")));
    db.exec(
      "UPDATE zestor_kv SET value = CAST('{' AS BLOB) WHERE key = 'bob'",
    );
  }
  const [line, table] = await Promise.all([
    cli.run("verify"),
    cli.run("verify", "--format", "table"),
  ]);
  assertEquals([line.code, table.code], [3, 3]);
  assertEquals([line.stderr, table.stderr], ["", ""]);
  const { part, kind, key, message } = JSON.parse(line.stdout);
  assertEquals([part, kind, key], ["entries", "users", "bob"]);
  assertEquals(table.stdout, `PART     FINDING\nentries  ${message}\n`);

  const unreadable = await cli.run("get", "users", "bob");
  assertMatch(unreadable.stderr, /^zestor: Cannot decode .*\n$/);
  assertEquals([unreadable.code, unreadable.stdout], [3, ""]);
});

test("numbers of other programs are printed with all digits", async () => {
  await using cli = await users();
  const numbers = `{"n":12345678901234567890,"f":[0.10000000000000000001,-0]}`;
  {
    using db = await connect(builtin, fileAt(cli.dir.file("app.db")));
    db.exec(
      `UPDATE zestor_kv SET value = CAST('${numbers}' AS BLOB) WHERE key = 'bob'`,
    );
  }
  const [line, table, yaml, entry] = await Promise.all([
    cli.print("get", "users", "bob"),
    cli.print("get", "users", "bob", "--format", "table"),
    cli.print("get", "users", "bob", "--format", "yaml"),
    cli.print("entry", "users", "bob"),
  ]);
  assertEquals(line, `${numbers}\n`);
  assertEquals(table, `VALUE  ${numbers}\n`);
  assertEquals(
    yaml,
    `{"n": 12345678901234567890, "f": [0.10000000000000000001, -0]}\n`,
  );
  assertStringIncludes(entry, numbers);
});

test("a command that reads changes nothing, and makes no file", async () => {
  await using cli = await users();
  const before = await Deno.readFile(cli.dir.file("app.db"));
  await cli.print("list", "users");
  await cli.print("verify");
  assertEquals(await Deno.readFile(cli.dir.file("app.db")), before);

  const { code, stderr } = await cli.run("list", "users", "--db", "other.db");
  assertEquals(
    stderr,
    `zestor: Cannot open store at other.db: there is no such file; check the path, or create the file with "zestor set"\n`,
  );
  assertEquals(code, 3);
  const names = await Array.fromAsync(Deno.readDir(cli.dir.path));
  assertEquals(names.some(({ name }) => name.startsWith("other")), false);
});
