/**
 * What the documents say to type is there: tasks, programs, commands with
 * their options. Sessions are run, see sessions_test.ts.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { loadCommand } from "../../src/cli/commands/mod.ts";
import { parseCommandLine } from "../../src/cli/program.ts";
import {
  asFile,
  blocksOf,
  codesOf,
  needsServer,
  type Page,
  readPages,
  usesDenoKv,
} from "../support/docs/pages.ts";
import { commandsIn } from "../support/docs/words.ts";

const root = new URL("../../", import.meta.url);
const pages = await readPages();
const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", root)),
);

/** A command of a page. */
interface Command {
  readonly page: Page;
  readonly words: readonly string[];
}

const commands: Command[] = pages.flatMap((page) =>
  codesOf(page, "sh").flatMap(commandsIn).map((words) => ({ page, words }))
);

/** The arguments of `zestor` in a command, however that is started. */
function zestorArguments(words: readonly string[]): readonly string[] {
  const index = words.findIndex((word) =>
    /^zestor$|^jsr:@zestor\/store\/cli$/.test(word)
  );
  const isInstalled = words.includes("install") || words[0] === "eval";
  return index < 0 || isInstalled ? [] : words.slice(index + 1);
}

Deno.test("the documents name tasks that there are", () => {
  const named = pages.flatMap(({ text }) =>
    Array.from(
      text.matchAll(/\bdeno(?:@[\d.]+)? task (?:--\S+ )*(\w+)/g),
      ([, task]) => task,
    )
  );
  assertGreater(named.length, 3);
  // A page may show a deno.json with tasks of its own.
  const shown = pages.flatMap((page) => codesOf(page, "json"))
    .flatMap((code) => Object.keys(JSON.parse(code).tasks ?? {}));
  for (const task of named) {
    assert(task in tasks || shown.includes(task), `no task ${task}`);
  }
});

Deno.test("the documents start programs that there are", async () => {
  let count = 0;
  for (const { page, words } of commands) {
    const files = blocksOf(page).flatMap((block) => asFile(block)?.name ?? []);
    for (const word of words) {
      if (!/^[\w./-]+\.ts$/.test(word) || files.includes(word)) continue;
      await Deno.stat(new URL(word, root));
      count++;
    }
  }
  assertGreater(count, 0);
});

Deno.test("the documents give `zestor` commands and options that it has", async () => {
  for (const { page, words } of commands) {
    const args = zestorArguments(words);
    if (args.length === 0) continue;
    const read = parseCommandLine(args, { isColored: false, columns: 80 });
    await read.catch((error) => {
      throw new Error(`${page.path}: ${words.join(" ")}`, { cause: error });
    });
  }
});

Deno.test("the documents name commands of `zestor` that there are", async () => {
  const named = pages.flatMap(({ text }) =>
    Array.from(text.matchAll(/\bzestor ([a-z]+)\b/g), ([, name]) => name)
  );
  assertGreater(named.length, 10);
  for (const name of new Set(named)) {
    const isThere = name === "completion" || await loadCommand(name);
    assert(isThere, `no command ${name}`);
  }
});

Deno.test("the documents' JSON is JSON", () => {
  for (const page of pages) {
    for (const code of codesOf(page, "json")) JSON.parse(code);
  }
});

Deno.test("a block that `deno test --doc` leaves out is run by another test", () => {
  for (const page of pages) {
    for (const block of blocksOf(page)) {
      if (block.language !== "ts" || !block.isIgnored) continue;
      assert(
        asFile(block) || usesDenoKv(block) || needsServer(block),
        `${page.path}: not run: ${block.code}`,
      );
    }
  }
});

Deno.test("a block that `deno test --doc` runs writes no file into the checkout", () => {
  for (const page of pages) {
    for (const { language, isIgnored, code } of blocksOf(page)) {
      if (language !== "ts" || isIgnored) continue;
      const paths = Array.from(code.matchAll(/\bpath: "([^"]*)"/g));
      for (const [, path] of paths) {
        assert(/^(file:)?:memory:/.test(path), `${page.path}: opens ${path}`);
      }
    }
  }
});

Deno.test("a script is split into commands as a shell does", () => {
  const script = `export A=b && zestor set k 'a "b" | c' | tr a-z A-Z >x 2>&1
zestor get k a#b \\
  --at 3 # a comment; no command
deno "run" a\\ b <in; deno task x &
zestor set k 'two
lines'`;
  assertEquals(commandsIn(script), [
    ["export", "A=b"],
    ["zestor", "set", "k", 'a "b" | c'],
    ["tr", "a-z", "A-Z"],
    ["zestor", "get", "k", "a#b", "--at", "3"],
    ["deno", "run", "a b"],
    ["deno", "task", "x"],
    ["zestor", "set", "k", "two\nlines"],
  ]);
  assertThrows(() => commandsIn("zestor get 'k"), SyntaxError, "'k");
});
