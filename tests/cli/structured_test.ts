/**
 * The command on a store of structured values: what it prints of those that
 * JSON and YAML have no form for, and what it takes.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "@std/yaml";
import { openStore } from "../../mod.ts";
import { flowText } from "../../src/values/text/flow.ts";
import { yamlText } from "../../src/values/text/yaml.ts";
import { structured } from "../../src/values/codecs/structured.ts";
import { runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { withSeed } from "../support/random.ts";
import { randomValue } from "../support/random_values.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** The command on a store that has these values of the kind "k". */
async function cliOn(values: Record<string, unknown>) {
  const dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openStore({ path, codec: structured });
  await store.setAll("k", values);
  return {
    dir: dir.path,
    path,
    run: (...args: string[]) =>
      runCli([...args, "--codec", "structured"], {
        cwd: dir.path,
        env: { ZESTOR_DB: "app.db" },
      }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

test("with --codec structured YAML shows every value, on one line if it has no form of its own", async () => {
  const cycle: Record<string, unknown> = { name: "c" };
  cycle.self = cycle;
  const values: [value: unknown, text: string][] = [
    [{ a: 1, at: new Date(0) }, "a: 1\nat: 1970-01-01T00:00:00.000Z\n"],
    [
      new Map<unknown, unknown>([["a", 1], [[2], "b"]]),
      '!!omap [{"a": 1}, {[2]: "b"}]\n',
    ],
    [{ tags: new Set(["x", 1]) }, '{"tags": !!set {"x": null, 1: null}}\n'],
    [2n ** 70n, "1180591620717411303424\n"],
    [{ u: undefined }, '{"u": !undefined ""}\n'],
    [[new Uint8Array([1, 2])], '[!!binary "AQI="]\n'],
    [new Float32Array([1.5, NaN]), "!Float32Array [1.5, .nan]\n"],
    [new Uint8Array([1, 2]).buffer, '!ArrayBuffer "AQI="\n'],
    [new DataView(new Uint8Array([1, 2]).buffer), '!DataView "AQI="\n'],
    [/a"\/b/g, '!RegExp "/a\\"\\\\/b/g"\n'],
    [new Date(NaN), '!Date ""\n'],
    [Object("a"), '!String "a"\n'],
    // deno-lint-ignore no-sparse-arrays -- it is the subject
    [[1, , 3], '!Array {"length": 3, "0": 1, "2": 3}\n'],
    [new Array(4294967295), '!Array {"length": 4294967295}\n'],
    [cycle, '&1 {"name": "c", "self": *1}\n'],
    [new Set([cycle]), '!!set {&1 {"name": "c", "self": *1}: null}\n'],
    [{ valueOf: 1, constructor: 2n }, '{"valueOf": 1, "constructor": 2}\n'],
    ["\x1b[31m\u202e", '"\\u001b[31m\\u202e"\n'],
  ];
  for (const [value, text] of values) assertEquals(yamlText(value), text);
  await using cli = await cliOn({ cycle });
  const shown = await cli.run("get", "k", "cycle", "--format", "yaml");
  assertEquals(shown, { code: 0, stdout: yamlText(cycle), stderr: "" });
  const error = new TypeError("m", { cause: 1n });
  delete error.stack;
  assertEquals(flowText(error), '!TypeError {"message": "m", "cause": 1}');
});

test("with --codec structured, JSON shows what it can express, and an error names the rest", async () => {
  await using cli = await cliOn({
    plain: { a: [1, "b"] },
    time: new Date(0),
    map: { m: new Map() },
    big: [1n],
  });
  const shown = await cli.run("get", "k", "plain");
  assertEquals(shown.stdout, '{"a":[1,"b"]}\n');
  const time = await cli.run("get", "k", "time");
  assertEquals(time.stdout, '"1970-01-01T00:00:00.000Z"\n');
  for (
    const [key, what] of [["map", "a Map at m"], ["big", "a BigInt at [0]"]]
  ) {
    const refused = await cli.run("get", "k", key);
    assertEquals([refused.code, refused.stdout], [2, ""]);
    assertStringIncludes(
      refused.stderr,
      `Cannot print as JSON: JSON cannot represent ${what}; use --format yaml`,
    );
  }
});

test("a table shows values as YAML if JSON cannot express them", async () => {
  await using cli = await cliOn({ a: { b: 1 }, c: new Map([["d", 1n]]) });
  const table = await cli.run("list", "k", "--format", "table");
  assertEquals(table, {
    code: 0,
    stdout: 'KEY  VALUE\na    {"b":1}\nc    !!omap [{"d": 1}]\n',
    stderr: "",
  });
});

test("an object that occurs very often is printed once as YAML, and refused as JSON", async () => {
  let doubled: unknown[] = [];
  for (let i = 0; i < 60; i++) doubled = [doubled, doubled];
  await using cli = await cliOn({ doubled });
  const shown = await cli.run("get", "k", "doubled", "--format", "yaml");
  assertEquals([shown.code, shown.stdout.length < 2000], [0, true]);
  const refused = await cli.run("get", "k", "doubled");
  assertMatch(refused.stderr, /Cannot print as JSON: .*objects repeat in it/);
  assertEquals(refused.code, 2);
});

test("with --codec structured a value that is set is JSON, or YAML with its times", async () => {
  await using cli = await cliOn({});
  await cli.run("set", "k", "json", '{"n": 1}');
  await cli.run("set", "k", "yaml", "at: 2020-01-01", "--input", "yaml");
  await using store = await openStore({ path: cli.path, codec: structured });
  assertEquals(await store.get("k", "json"), { n: 1 });
  assertEquals(await store.get("k", "yaml"), { at: new Date("2020-01-01") });

  const other = await runCli(["get", "k", "json", "--db", cli.path], {
    cwd: cli.dir,
  });
  assertMatch(other.stderr, /with the codec "structured", received "json"/);
});

test("an export of structured values is imported as it was", async () => {
  await using from = await cliOn({ a: new Set([1]), b: { c: 1 } });
  await using to = await cliOn({});
  const { stdout } = await from.run("export", "--no-times");
  assertMatch(stdout, /"codec":"structured","bytes":/);
  const copied = await runCli(
    ["import", "--db", to.path, "--codec", "structured"],
    { cwd: to.dir, input: stdout },
  );
  assertMatch(copied.stdout, /"created":2/);
  assertEquals((await to.run("export", "--no-times")).stdout, stdout);
});

Deno.test("any structured value has a text on one line, which YAML reads unless it has tags", () =>
  withSeed("flow text", (random) => {
    for (let i = 0; i < 2000; i++) {
      const text = flowText(randomValue(random));
      assertEquals(text.split("\n").length, 1);
      // YAML takes any key for text, so that keys of a map may come twice.
      if (!text.includes("!")) parse(text);
    }
  }));

Deno.test("a value of 1000 levels has a text on one line", () => {
  let value: unknown = 1n;
  for (let i = 0; i < 1000; i++) value = i % 2 ? [value] : new Set([value]);
  assertStringIncludes(flowText(value), "!!set {[");
});
