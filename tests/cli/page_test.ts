/**
 * The options in docs/cli.md are those of the help, of each command.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import { loadCommands } from "../../src/cli/commands/mod.ts";
import { parseCommandLine } from "../../src/cli/program.ts";

const page = await Deno.readTextFile(
  new URL("../../docs/cli.md", import.meta.url),
);

/** The rows of the table that is the first after a text, without its head. */
function rowsAfter(text: string): string[][] {
  const [, rest] = page.split(text);
  const [table] = /^\|.*\n(?:\|.*\n)+/m.exec(rest)!;
  const [_head, _line, ...rows] = table.trimEnd().split("\n");
  return rows.map((row) => row.split("|").slice(1, -1).map((c) => c.trim()));
}

/** The options that are listed in a part of the help. */
function optionsIn(help: string): string[] {
  return Array.from(help.matchAll(/^ {2}(--[\w-]+)/gm), ([, name]) => name)
    .toSorted();
}

/** The names that a cell has as code. */
function namesIn(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, name]) => name).toSorted();
}

async function helpOf(...args: string[]): Promise<string> {
  const help = await parseCommandLine([...args, "--help"], {
    isColored: false,
    columns: 80,
  });
  return String(help);
}

Deno.test("docs/cli.md lists the options of every command", async () => {
  const listed = new Map(
    rowsAfter("The options of each command:")
      .map(([command, options]) => [command, namesIn(options)]),
  );
  const [, ofAll] = (await helpOf("get")).split("Options of every command:");
  assertGreater(optionsIn(ofAll).length, 3);
  const found = new Map([["all of them", optionsIn(ofAll)]]);
  const names = (await loadCommands()).map(({ name }) => name);
  for (const name of [...names, "completion"]) {
    const [own] = (await helpOf(name)).split("Options of every command:");
    found.set(`\`${name}\``, optionsIn(own));
  }
  assertEquals(listed, found);
});
