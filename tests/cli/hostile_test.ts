/**
 * Names and values that would be commands of a terminal or a shell, or
 * something else altogether, are data.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { yaml } from "../../src/values/codecs/yaml.ts";
import { openBeside, outputOfCli, runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

const NAMES = [
  "new\nline",
  "tab\tand\rreturn",
  `'single' "double" \`back\``,
  "$(touch pwned) ${HOME} ; touch pwned",
  "\u001b[31mred\u001b[0m",
  "\u009b31m",
  "\u202egnp.exe",
  "\u2066isolated\u2069 \u061c\u200f\ufeff",
  "line\u2028separator",
  "delete\u007f",
  "k".repeat(100_000),
  "👨‍👩‍👧‍👦🇩🇪e\u0301",
  "日本語",
  "--help",
  "-",
  " spaces ",
  '"quoted"',
  "../../etc/passwd",
  "__proto__",
  "%s%n\\x00\\n",
  "- a: b #",
  "'; DROP TABLE zestor_kv; --",
];

/** Nothing but what can be seen, and line feeds. */
function assertHarmless(output: string): void {
  const hazards =
    /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;
  assert(!hazards.test(output.replaceAll("\n", "")), JSON.stringify(output));
}

test("hostile kinds, keys and values go in and come out as they are", async () => {
  await using dir = await tempDir();
  const options = { cwd: dir.path, env: { ZESTOR_DB: "app.db" } };
  const names = [
    `${NAMES[0]}${NAMES[1]}${NAMES[4]}${NAMES[5]}${NAMES[6]}`,
    `${NAMES[2]}${NAMES[3]}`,
    "k".repeat(100_000),
    "👨‍👩‍👧‍👦 日本語",
    "--help",
    "-",
    " spaces ",
    "__proto__",
  ];
  const outputs = await Promise.all(names.map(async (name) => {
    const value = JSON.stringify({ [name]: name });
    await outputOfCli(["set", "--", name, name], { ...options, input: value });
    return await outputOfCli(["delete", "--", name, name], options);
  }));
  for (const [i, output] of outputs.entries()) {
    const name = names[i];
    assertHarmless(output);
    const { kind, key, value } = JSON.parse(output);
    assertEquals([kind, key], [name, name]);
    assertEquals(value, JSON.parse(JSON.stringify({ [name]: name })));
  }
  await assertNothingElse(dir.path);
});

async function assertNothingElse(path: string): Promise<void> {
  for await (const { name } of Deno.readDir(path)) {
    assertMatch(name, /^app\.db/);
  }
}

test("hostile names and values are harmless in every format, and whole in JSON and YAML", async () => {
  await using dir = await tempDir();
  {
    await using store = await openBeside(dir.file("app.db"));
    await store.setAll("k", NAMES.map((name) => [name, { [name]: [name] }]));
    for (const name of NAMES) await store.set(name, "a", name);
  }
  const options = { cwd: dir.path, env: { ZESTOR_DB: "app.db" } };
  const print = (...args: string[]) => outputOfCli(args, options);
  const formats = ["ndjson", "json", "yaml", "table"];
  const [lists, keys, kinds] = await Promise.all(
    [["list", "k"], ["keys", "k"], ["kinds"]].map((args) =>
      Promise.all(formats.map((format) => print(...args, "--format", format)))
    ),
  );
  for (const output of [...lists, ...keys, ...kinds]) assertHarmless(output);

  const sorted = NAMES.toSorted(byUtf8);
  const records = sorted.map((name) => ({
    key: name,
    value: JSON.parse(JSON.stringify({ [name]: [name] })),
  }));
  const lines = lists[0].trimEnd().split("\n");
  assertEquals(lines.map((line) => JSON.parse(line)), records);
  assertEquals(JSON.parse(lists[1]), records);
  assertEquals(yaml.decode(new TextEncoder().encode(lists[2])), records);
  assertEquals(JSON.parse(keys[1]), sorted);
  assertEquals(yaml.decode(new TextEncoder().encode(keys[2])), sorted);
  const withKind = [...NAMES, "k"].toSorted(byUtf8);
  assertEquals(JSON.parse(kinds[1]), withKind);
  // A row each.
  assertEquals(lists[3].trimEnd().split("\n").length, NAMES.length + 1);
  assertEquals(keys[3].trimEnd().split("\n").length, NAMES.length + 1);
});

function byUtf8(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => new TextEncoder().encode(text));
  const at = x.findIndex((byte, i) => byte !== y[i]);
  return at < 0 ? x.length - y.length : x[at] - (y[at] ?? -1);
}

test("errors show hostile words harmlessly, in one short line", async () => {
  await using dir = await tempDir();
  const options = { cwd: dir.path, env: { ZESTOR_DB: "app.db" } };
  await outputOfCli(["set", "k", "a", "1"], options);
  const hostile = NAMES.filter((name) => name.length < 1000).join("");
  const names = [hostile, "k".repeat(100_000), "--no\u001b[31m", "new\nline"];
  const results = await Promise.all(names.flatMap((name) => [
    runCli(["get", "--", "k", name], options),
    runCli(["get", "k", "a", "--db", `no/${name.slice(0, 200)}`], options),
    runCli(["get", "k", "a", name.slice(0, 200)], options),
    runCli(["set", "k", "a", `"${name}`], options),
  ]));
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    assertHarmless(stderr);
    assertMatch(stderr, /^zestor: [^\n]+\n$/);
    assert(stderr.length < 1000, `${stderr.length}`);
    assertEquals([code, stdout], [[1, 3, 2, 2][i % 4], ""], stderr);
  }
  assertEquals(await outputOfCli(["get", "k", "a"], options), "1\n");
  await assertNothingElse(dir.path);
});

test("values nested as deep as can be are printed, or refused in one line", async () => {
  await using dir = await tempDir();
  const options = { cwd: dir.path, env: { ZESTOR_DB: "app.db" } };
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const [deep, tooDeep] = await Promise.all([
    runCli(["set", "k", "deep"], { ...options, input: nested(1000) }),
    runCli(["set", "k", "deeper"], { ...options, input: nested(1_000_000) }),
  ]);
  assertEquals([deep.code, deep.stderr], [0, ""]);
  assertMatch(tooDeep.stderr, /^zestor: Cannot [^\n]+\n$/);
  assertEquals([tooDeep.code, tooDeep.stdout], [2, ""]);
  const formats = ["json", "yaml", "table"];
  const printed = await Promise.all(
    formats.map((format) =>
      outputOfCli(["get", "k", "deep", "--format", format], options)
    ),
  );
  assertEquals(
    printed.map((output) => output.trim().replace(/^VALUE +/, "")),
    formats.map(() => nested(1000)),
  );
});
