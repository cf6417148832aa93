/**
 * The options in docs/cli.md are those that the commands take.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { extractOptionNames, type Usage } from "@optique/core/usage";
import { loadCommands } from "../../src/cli/commands/mod.ts";
import { nameParsers } from "../../src/cli/names.ts";
import { globalOptions } from "../../src/cli/options.ts";

const page = await Deno.readTextFile(
  new URL("../../docs/cli.md", import.meta.url),
);

/** The options that the page lists, by what its first column has. */
function listedOptions(): Map<string, string[]> {
  const [, rest] = page.split("The options of each command:");
  const [table] = /^\|.*\n(?:\|.*\n)+/m.exec(rest)!;
  const [_head, _line, ...rows] = table.trimEnd().split("\n");
  return new Map(rows.map((row) => {
    const [, command, options] = row.split("|");
    const names = options.matchAll(/`(--[\w-]+)`/g);
    return [command.trim(), Array.from(names, ([, name]) => name).toSorted()];
  }));
}

function optionsOf(usage: Usage): string[] {
  return [...extractOptionNames(usage)].toSorted();
}

Deno.test("docs/cli.md lists the options of every command, and no other", async () => {
  const names = nameParsers(() => {
    throw new Error("Nothing is completed here");
  });
  const commands = await loadCommands();
  assertEquals(
    listedOptions(),
    new Map([
      ["all of them", optionsOf(globalOptions.usage)],
      ...commands.map(({ name, parser }): [string, string[]] => [
        `\`${name}\``,
        optionsOf(parser(names).usage),
      ]),
      // The parser has this command itself.
      ["`completion`", []],
    ]),
  );
});
