/**
 * What a terminal gets that a pipe does not: tables as wide as it is, colours,
 * JSON over several lines.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";
import {
  cliForShell,
  openBeside,
  outputOfCli,
  quoteForShell,
} from "../support/cli.ts";
import { tempDir } from "../support/temp_dir.ts";
import {
  onTerminal,
  type TerminalOptions,
  testOnTerminal,
} from "../support/terminal.ts";

const FAMILY = "👨‍👩‍👧‍👦";
const ESCAPE = "\u001b";

const VALUES: Record<string, unknown> = {
  alice: { name: "Alice", email: "alice@example.com", tags: ["a", "b"] },
  bob: 1,
  [`e\u0301${FAMILY}🇩🇪`]: FAMILY.repeat(100),
  "\u001b[31mred": "\u001b]0;title\u0007",
  "日本語のとても長いキー": { 値: "長い値".repeat(50) },
};

/** A directory with a store, and the command on it, on a terminal. */
async function terminalCli() {
  const dir = await tempDir();
  {
    await using store = await openBeside(dir.file("app.db"));
    await store.setAll("k", VALUES);
  }
  return {
    dir,
    run: (args: string[], options: Partial<TerminalOptions> = {}) =>
      onTerminal(
        `${cliForShell()} ${args.map(quoteForShell).join(" ")} --db app.db`,
        { cwd: dir.path, ...options },
      ),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

/** Asserts that nothing but lines of what can be seen was printed. */
function assertHarmless(output: string): void {
  assert(!/[\p{Cc}\u2028-\u202e]/u.test(output.replaceAll("\n", "")), output);
}

testOnTerminal(
  "a terminal gets a table by default, a pipe a line for each record",
  async () => {
    await using cli = await terminalCli();
    const { code, output } = await cli.run(["list", "k", "--end", "c"], {
      columns: 100,
    });
    assertEquals(
      output,
      `KEY              VALUE
"\\u001b[31mred"  "\\u001b]0;title\\u0007"
alice            {"name":"Alice","email":"alice@example.com","tags":["a","b"]}
bob              1
`,
    );
    assertEquals(code, 0);
    const piped = await outputOfCli([
      "list",
      "k",
      "--db",
      "app.db",
      "--limit=1",
    ], {
      cwd: cli.dir.path,
    });
    assertEquals(Object.keys(JSON.parse(piped)), ["key", "value"]);
  },
);

for (const columns of [200, 80, 40, 20, 9]) {
  testOnTerminal(
    `no row of a table is broken, or wider than ${columns} columns`,
    async () => {
      await using cli = await terminalCli();
      const [list, keys, entry] = await Promise.all([
        cli.run(["list", "k"], { columns }),
        cli.run(["keys", "k"], { columns }),
        cli.run(["entry", "k", "alice"], { columns }),
      ]);
      for (const { output } of [list, keys, entry]) {
        assertHarmless(output);
        for (const line of output.split("\n")) {
          assert(stringWidth(line) <= columns, `${stringWidth(line)}: ${line}`);
        }
      }
      const rows = list.output.trimEnd().split("\n");
      assertEquals(rows.length, 1 + Object.keys(VALUES).length);
      assertEquals(entry.output.trimEnd().split("\n").length, 7);
      const clipped = rows.filter((row) => row.endsWith("…"));
      assertEquals(clipped.length >= 2, true);

      // The second column begins where its title does, whatever is before it.
      const [header] = rows;
      const start = header.lastIndexOf("V");
      for (const row of rows) {
        let before = "";
        for (const { segment } of new Intl.Segmenter().segment(row)) {
          if (stringWidth(before) >= start) break;
          before += segment;
        }
        assertEquals(stringWidth(before), start, row);
        assertEquals(before.endsWith("  "), true, row);
      }
    },
  );
}

testOnTerminal(
  "a cut cell of a table ends with a whole character and …",
  async () => {
    await using cli = await terminalCli();
    const { output } = await cli.run(["get", "k", Object.keys(VALUES)[2]], {
      columns: 30,
    });
    assertEquals(output, `"${FAMILY.repeat(100)}"\n`);
    const table = await cli.run(
      ["get", "k", Object.keys(VALUES)[2], "--format", "table"],
      { columns: 30 },
    );
    assertEquals(table.output, `VALUE  "${FAMILY.repeat(10)}…\n`);
  },
);

testOnTerminal(
  "colours are for terminals, unless NO_COLOR is set",
  async () => {
    await using cli = await terminalCli();
    const list = (args: string[], env: Record<string, string>) =>
      cli.run(["list", "k", "--limit", "1", ...args], { env });
    const isColored = ({ output }: { output: string }) =>
      output.includes(`${ESCAPE}[`);
    const [auto, always, never, no, noAlways] = await Promise.all([
      list([], {}),
      list(["--color", "always"], {}),
      list(["--color", "never"], {}),
      list([], { NO_COLOR: "1" }),
      list(["--color=always"], { NO_COLOR: "1" }),
    ]);
    assertEquals(
      [auto, always, never, no, noAlways].map(isColored),
      [true, true, false, false, true],
    );
    assertEquals(stripVTControlCharacters(auto.output), never.output);

    const piped = (color: string) =>
      outputOfCli(
        ["list", "k", "--limit=1", "--db=app.db", "--format=table", color],
        { cwd: cli.dir.path, env: { NO_COLOR: "" } },
      );
    const [plain, forced] = await Promise.all([
      piped("--color=auto"),
      piped("--color=always"),
    ]);
    assertEquals([plain, forced].map((output) => isColored({ output })), [
      false,
      true,
    ]);
  },
);

testOnTerminal("help and errors have colours on a terminal only", async () => {
  await using cli = await terminalCli();
  const [help, error, plainHelp, plainError] = await Promise.all([
    cli.run(["get", "--help"], { env: {} }),
    cli.run(["get", "k", "nothing"], { env: {} }),
    cli.run(["get", "--help"]),
    cli.run(["get", "k", "nothing"]),
  ]);
  for (const { output } of [help, error]) assert(output.includes(ESCAPE));
  for (const { output } of [plainHelp, plainError]) assertHarmless(output);
  assertEquals([error.code, plainError.code], [1, 1]);
  assertEquals(
    stripVTControlCharacters(error.output),
    `zestor: Cannot read "k"/"nothing": there is no such entry\n`,
  );
});

testOnTerminal(
  "JSON is spread over lines on a terminal, and harmless there",
  async () => {
    await using cli = await terminalCli();
    const [value, list] = await Promise.all([
      cli.run(["get", "k", "alice"]),
      cli.run(["list", "k", "--format", "json"]),
    ]);
    assertEquals(value.output, `${JSON.stringify(VALUES.alice, null, 2)}\n`);
    assertHarmless(list.output);
    const records: { key: string; value: unknown }[] = JSON.parse(list.output);
    assertEquals(
      Object.fromEntries(records.map(({ key, value }) => [key, value])),
      VALUES,
    );
    assertMatch(list.output, /^\[\n {2}\{\n {4}"key": /);
  },
);

testOnTerminal(
  "a table of many pages has its columns in line, and no key cut that has room",
  async () => {
    await using cli = await terminalCli();
    const many = Array.from({ length: 1000 }, (_, i) => [`${i}`, i] as const);
    {
      await using store = await openBeside(cli.dir.file("app.db"));
      await store.setAll("many", [...many, ["a-longer-key", 0] as const]);
    }
    const { output } = await cli.run(["list", "many"]);
    const rows = output.trimEnd().split("\n");
    assertEquals(rows.length, 1002);
    const expected = many.map(([key]) => key).sort();
    assertEquals(
      rows.slice(1, -1).map((row) => row.split(/ +/)[0]),
      expected,
    );
    assertEquals(rows.at(-1), "a-longer-key  0");
  },
);
