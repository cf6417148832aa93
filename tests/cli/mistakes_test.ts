/**
 * What a mistake on the command line is answered with: what would be right, and
 * colours on a terminal only.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import { cliForShell, quoteForShell, runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";
import { onTerminal, testOnTerminal } from "../support/terminal.ts";

const [{ test }] = drivers;

const ONLY_OF_RANGES =
  'it belongs to "delete", "list", "keys", "count", "log", "watch" and "export" only';

const hints: [args: string[], hint: string][] = [
  // An option of other commands.
  [["set", "npm", "--prefix", "x"], ONLY_OF_RANGES],
  [["get", "k", "a", "--prefix=x"], ONLY_OF_RANGES],
  [["--prefix", "x"], ONLY_OF_RANGES],
  [["list", "k", "--key", "a"], 'it belongs to "watch" only'],
  [["count", "k", "--force"], 'it belongs to "backup" only'],
  // A similar one of this command, or of all.
  [["list", "k", "--limitt", "1"], "similar: `--limit`"],
  [["list", "k", "--LIMIT", "1"], "similar: `--limit`"],
  [["list", "k", "--frmat", "json"], "similar: `--format`, `--limit`, `--at`"],
  [["get", "k", "a", "--dbb", "x"], "similar: `--db`"],
  [["--verson"], "similar: `--version`"],
  // A similar one would not do there.
  [["get", "k", "a", "--limitt", "1"], ""],
  [["list", "k", "--limit", "1", "--limitt", "2"], ""],
  [["list", "k", "--", "--limit"], ""],
  [["get", "k", "a", "-h"], ""],
  [["get", "k", "a", "format"], ""],
  // A right one at a wrong place.
  [["--format", "json", "get", "k", "a"], 'put it after "get"'],
  [["get", "k", "-5"], 'put "--" before an argument that begins with a hyphen'],
  // A command.
  [["gett", "k"], "similar: `get`, `set`"],
  [["help", "lst"], "similar: `list`"],
  [["--db", "get", "lst"], "similar: `list`"],
];

test("a mistake is answered with a valid alternative", async () => {
  await using dir = await tempDir();
  const results = await Promise.all(
    hints.map(([args]) => runCli(args, { cwd: dir.path })),
  );
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const [args, hint] = hints[i];
    const line = /^zestor: [^;]*"(?:; (.*))?; see zestor [a-z -]*--help\n$/
      .exec(stderr);
    assert(line, stderr);
    const [, found = ""] = line;
    assertEquals(found, hint, args.join(" "));
    assertEquals([code, stdout], [2, ""]);
  }
});

test("a long word on the command line is cut in the error", async () => {
  await using dir = await tempDir();
  const long = "k".repeat(100_000);
  const results = await Promise.all([
    runCli([long], { cwd: dir.path }),
    runCli(["get", "k", "a", `--${long}`], { cwd: dir.path }),
    runCli(["list", "k", "--format", long], { cwd: dir.path }),
  ]);
  for (const { code, stderr } of results) {
    assertMatch(stderr, /^zestor: [^\n]{1,500}\n$/);
    assertEquals(code, 2);
  }
});

const ESCAPE = "\u001b";

/** Words that a terminal would obey. */
const HOSTILE = `${ESCAPE}[32m\u009b31m\u202e\nx`;

const mistakes: string[][] = [
  ["list", "k", `--fromat${HOSTILE}`],
  [`gett${HOSTILE}`],
  ["help", `lst${HOSTILE}`],
  ["completion", `tcsh${HOSTILE}`],
  ["list", "k", `--reverse=${HOSTILE}`],
  ["list", "k", "--limit", HOSTILE],
  ["list", "k", "--limit"],
  ["get"],
  ["watch", "k", "--types", HOSTILE],
];

/** Asserts that it is one line, in which nothing but colours is for a terminal. */
function assertLine(output: string): void {
  const text = stripVTControlCharacters(output);
  assertMatch(text, /^zestor: [^\n]+; see zestor [^\n]*\n$/);
  assert(!/[\p{Cc}\u202e]/u.test(text.trimEnd()), JSON.stringify(text));
  // An escape of ours that was escaped is text.
  const words = text.replaceAll(JSON.stringify(HOSTILE).slice(1, -1), "");
  assert(!words.replaceAll("\\u001b[32m\\u009b31m", "").includes("\\u001b"));
}

testOnTerminal(
  "the errors of a command line have colours on a terminal, and no others",
  async () => {
    await using dir = await tempDir();
    const run = (args: string[], env: Record<string, string>) =>
      onTerminal(`${cliForShell()} ${args.map(quoteForShell).join(" ")}`, {
        cwd: dir.path,
        env,
      });
    for (const args of mistakes) {
      const [colored, plain, never] = await Promise.all([
        run(args, {}),
        run(args, { NO_COLOR: "1" }),
        run(["--color", "never", ...args], {}),
      ]);
      assertLine(colored.output);
      // deno-lint-ignore no-control-regex -- colours are what it is about
      const colors = colored.output.match(/\u001b\[\d+m/g) ?? [];
      assert(colors.length >= 4 || args.length < 2, colored.output);
      assertEquals(plain.output, stripVTControlCharacters(colored.output));
      if (args[0] !== "help" && args[0] !== "completion") {
        assertEquals(never.output, plain.output);
      }
      assert(!never.output.includes(ESCAPE));
    }
  },
);

test("the errors of a command line have colours elsewhere if they are asked for", async () => {
  await using dir = await tempDir();
  const [plain, colored] = await Promise.all([
    runCli(["list", "k", "--limit", "x"], { cwd: dir.path }),
    runCli(["list", "k", "--limit", "x", "--color=always"], { cwd: dir.path }),
  ]);
  assert(!plain.stderr.includes(ESCAPE));
  assert(colored.stderr.includes(ESCAPE));
  assertEquals(stripVTControlCharacters(colored.stderr), plain.stderr);
});
