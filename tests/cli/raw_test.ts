/**
 * Values and keys that are printed and read as they are, for other programs.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { openStore } from "../../mod.ts";
import { yaml } from "../../src/values/codecs/yaml.ts";
import {
  cliForShell,
  hereIn,
  openBeside,
  outputOfCli,
  quoteForShell,
  runCli,
  spawnCli,
} from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";
import { onTerminal, testOnTerminal } from "../support/terminal.ts";

const [{ test }] = drivers;

const HOSTILE = 'line\n\ttab "quoted" \\ \u001b[31mred\u202e\u0000 日本語';

/** A directory with a store of some entries of the kind "k". */
async function setUp(entries: Record<string, unknown>) {
  const dir = await tempDir();
  {
    await using store = await openBeside(dir.file("app.db"));
    await store.setAll("k", entries);
  }
  return {
    dir,
    here: hereIn(dir.path),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

test("get --raw prints a string as it is, with one line feed, and JSON of all else", async () => {
  const values: [value: unknown, printed: string][] = [
    ["plain", "plain\n"],
    ["", "\n"],
    ["ends\n", "ends\n\n"],
    [HOSTILE, `${HOSTILE}\n`],
    [{ a: ["x"] }, '{"a":["x"]}\n'],
    [["x"], '["x"]\n'],
    [null, "null\n"],
    [1.5, "1.5\n"],
  ];
  const entries = values.map(([value], i) => [`${i}`, value]);
  await using it = await setUp(Object.fromEntries(entries));
  const printed = await Promise.all(
    values.map((_, i) => outputOfCli(["get", "k", `${i}`, "--raw"], it.here)),
  );
  assertEquals(printed, values.map(([, text]) => text));
});

test("get --raw refuses text that UTF-8 cannot express, and another format", async () => {
  await using it = await setUp({ surrogate: "a\ud800" });
  const results = await Promise.all([
    runCli(["get", "k", "surrogate", "--raw"], it.here),
    runCli(["get", "k", "surrogate", "--raw", "--format", "json"], it.here),
    runCli(["get", "k", "none", "--raw"], it.here),
  ]);
  assertEquals(results.map(({ code, stdout }) => [code, stdout]), [
    [2, ""],
    [2, ""],
    [1, ""],
  ]);
  assertEquals(
    results[0].stderr,
    'zestor: Cannot print "k"/"surrogate" raw: it contains a lone surrogate, which UTF-8 cannot express; leave out --raw\n',
  );
  assertStringIncludes(results[1].stderr, "--raw and --format exclude");
});

test("get --raw prints bytes as they are, and nothing after them", async () => {
  await using dir = await tempDir();
  const bytes = new Uint8Array([0, 255, 10, 128, 13]);
  {
    await using store = await openStore({
      path: dir.file("app.db"),
      driver: "builtin",
      codec: {
        ...yaml,
        encode: () =>
          new TextEncoder().encode(`!!binary ${bytes.toBase64()}\n`),
      },
    });
    await store.set("k", "a", 1);
  }
  const args = ["get", "k", "a", "--raw", "--codec", "yaml"];
  await using child = spawnCli(args, hereIn(dir.path));
  const [stdout, stderr, { code }] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
    child.status,
    child.stdin.close(),
  ]);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout, bytes);
});

testOnTerminal(
  "on a terminal --raw escapes control characters",
  async () => {
    await using it = await setUp({ "a\u001b[31m": HOSTILE });
    const run = (...args: string[]) =>
      onTerminal(`${cliForShell()} ${args.map(quoteForShell).join(" ")}`, {
        cwd: it.dir.path,
        env: { ...it.here.env, NO_COLOR: "1" },
      });
    const value = await run("get", "k", "a\u001b[31m", "--raw");
    assertEquals(
      value.output.replace(/ +tab/, "\ttab"),
      'line\n\ttab "quoted" \\ \\u001b[31mred\\u202e\\u0000 日本語\n',
    );
    const keys = await run("keys", "k", "--raw");
    assertEquals(keys.output, "a\\u001b[31m\n");
  },
);

test("keys --raw prints a line for each key, without quotes", async () => {
  const names = [" spaces ", '"quoted"', "a\tb\r", "\u202eturned", "日本語"];
  await using it = await setUp(
    Object.fromEntries(names.map((name) => [name, 1])),
  );
  const [lines, some, nulls] = await Promise.all([
    outputOfCli(["keys", "k", "--raw"], it.here),
    outputOfCli(["keys", "k", "--raw", "--reverse", "--limit", "1"], it.here),
    outputOfCli(["keys", "k", "--null"], it.here),
  ]);
  assertEquals(lines.split("\n").toSorted(), ["", ...names].toSorted());
  assertEquals(some, "日本語\n");
  assertEquals(nulls, lines.replaceAll("\n", "\0"));
});

test("keys --raw refuses keys of several lines, which --null prints", async () => {
  await using it = await setUp({ a: 1, "b\nc": 1 });
  const refused = await runCli(["keys", "k", "--raw"], it.here);
  assertEquals(refused, {
    code: 2,
    stdout: "",
    stderr:
      'zestor: Cannot print the key "b\\nc" raw: it contains a line feed; use --null, or leave out --raw\n',
  });
  assertEquals(
    await outputOfCli(["keys", "k", "--null"], it.here),
    "a\0b\nc\0",
  );
  const both = await Promise.all([
    runCli(["keys", "k", "--raw", "--null"], it.here),
    runCli(["keys", "k", "--null", "--format", "json"], it.here),
  ]);
  for (const { code, stdout, stderr } of both) {
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, "exclude each other");
  }
});

test("set --string writes any text unchanged", async () => {
  await using it = await setUp({});
  const texts = ["{", "null", "12345678901234567890", "", "  ", '"', "\ufeffx"];
  await Promise.all(
    texts.flatMap((text, i) => [
      outputOfCli(["set", "arguments", `${i}`, "--string", text], it.here),
      outputOfCli(["set", "inputs", `${i}`, "--string"], {
        ...it.here,
        input: `${text}\n`,
      }),
    ]),
  );
  await using store = await openBeside(it.dir.file("app.db"));
  for (const [i, text] of texts.entries()) {
    assertEquals(await store.get("arguments", `${i}`), text);
    assertEquals(await store.get("inputs", `${i}`), `${text}\n`);
  }
});

test("set --string keeps a string in YAML, too, and creates no file if it refuses one", async () => {
  await using dir = await tempDir();
  const here = hereIn(dir.path);
  const refused = await Promise.all([
    runCli(["set", "k", "a", "--string"], {
      ...here,
      input: new Uint8Array([97, 255]),
    }),
    runCli(["set", "k", "a", "--string", "--input", "yaml", "x"], here),
  ]);
  assertStringIncludes(
    refused[0].stderr,
    "Cannot read the value from standard input as a string: it is not UTF-8 (byte 2)",
  );
  assertStringIncludes(refused[1].stderr, "--string and --input exclude");
  assertEquals(refused.map(({ code }) => code), [2, 2]);
  assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
  const codec = ["--codec", "yaml"];
  await outputOfCli(["set", "k", "a", "--string", "no: 'x", ...codec], here);
  assertEquals(
    await outputOfCli(["get", "k", "a", "--raw", ...codec], here),
    "no: 'x\n",
  );
});

test("list --versions tells the version and the time of each entry", async () => {
  await using it = await setUp({ a: 1, b: 2 });
  await outputOfCli(["set", "k", "a", "3"], it.here);
  const list = (...args: string[]) =>
    outputOfCli(["list", "k", "--versions", ...args], it.here);
  const [lines, json, table, limited] = await Promise.all([
    list(),
    list("--format", "json"),
    list("--format", "table"),
    list("--reverse", "--limit", "1"),
  ]);
  await using store = await openBeside(it.dir.file("app.db"));
  const entries = await Array.fromAsync(store.entries("k"));
  const records = entries.map(({ updatedAt, ...entry }) => ({
    ...entry,
    updatedAt: updatedAt.toJSON(),
  }));
  assertEquals(records.map(({ version }) => version), [2, 1]);
  assertEquals(JSON.parse(json), records);
  const printed = records.map((record) => `${JSON.stringify(record)}\n`);
  assertEquals(lines, printed.join(""));
  assertEquals(limited, printed[1]);
  const times = records.map(({ updatedAt }) => updatedAt);
  assertEquals(
    table.replaceAll(/ +\n/g, "\n"),
    `KEY  VALUE  VERSION  REVISION  UPDATED                   EXPIRES
a    3      2        3         ${times[0]}
b    2      1        2         ${times[1]}
`,
  );
});

test("export --prefix takes only keys that begin so", async () => {
  await using it = await setUp({ "a/1": 1, "a/2": 2, b: 3 });
  await outputOfCli(["set", "l", "a/3", "4"], it.here);
  const printed = await outputOfCli(
    ["export", "--prefix", "a/", "--no-times", "--no-versions"],
    it.here,
  );
  assertEquals(
    printed,
    ["k a/1 1", "k a/2 2", "l a/3 4"].map((line) => {
      const [kind, key, value] = line.split(" ");
      return `${JSON.stringify({ kind, key, value: Number(value) })}\n`;
    }).join(""),
  );
});
