/**
 * The lists in the documents name all that there is.
 *
 * @module
 */
import {
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import * as zestor from "@zestor/store";
import { loadCommands } from "../../src/cli/commands/mod.ts";
import { connect, fileAt } from "../support/connect.ts";
import { codesOf, readPage } from "../support/docs/pages.ts";
import { drivers, openOn } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";

const [builtin] = drivers;
const [api, cli, format] = await Promise.all(
  ["docs/api.md", "docs/cli.md", "docs/format.md"].map(readPage),
);

Deno.test("docs/format.md shows the table as it is in a file", async () => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await (await openOn(builtin, { path })).close();
  using file = await connect(builtin, fileAt(path));
  using shown = await connect(builtin);
  const [sql] = codesOf(format, "sql");
  shown.exec(sql);
  const columns = "SELECT * FROM pragma_table_info('zestor_kv')";
  assertEquals(
    shown.prepare(columns).all(),
    file.prepare(columns).all(),
  );
});

/** The text of src/contract, which declares what a store has. */
async function readContract(): Promise<string> {
  const dir = new URL("../../src/contract/", import.meta.url);
  const texts: string[] = [];
  for await (const { name, isFile } of Deno.readDir(dir)) {
    if (isFile) texts.push(await Deno.readTextFile(new URL(name, dir)));
  }
  return texts.join("\n");
}

/** The methods of an interface, and of those that it extends. */
function methodsOf(name: string, source: string): string[] {
  const start = `^export interface ${name}\\b(.*?)\\{\\n(.*?)^\\}`;
  const found = new RegExp(start, "ms").exec(source);
  if (!found) return [];
  const [, head, body] = found;
  const own = Array.from(body.matchAll(/^ {2}([a-z]\w*)[(<]/gm), ([, m]) => m);
  const [, bases = ""] = head.split(/> extends\s/);
  const names = bases.match(/\b[A-Z]\w*/g) ?? [];
  return [...own, ...names.flatMap((base) => methodsOf(base, source))];
}

Deno.test("docs/api.md lists every operation of a store", async () => {
  const operations = new Set(methodsOf("Store", await readContract()));
  assertGreater(operations.size, 25);
  for (const name of operations) {
    assertStringIncludes(api.text, `\`${name}(`);
  }
});

Deno.test("docs/api.md lists every error", () => {
  const errors = Object.entries(zestor).filter(([, value]) =>
    typeof value === "function" &&
    value.prototype instanceof zestor.StoreError
  );
  assertGreater(errors.length, 15);
  for (const [name] of errors) assertStringIncludes(api.text, `| \`${name}\``);
});

Deno.test("docs/cli.md lists every command", async () => {
  const commands = await loadCommands();
  assertGreater(commands.length, 15);
  for (const { name } of [...commands, { name: "completion" }]) {
    assertMatch(cli.text, new RegExp(`^\\|.*\`${name}[ \`]`, "m"));
  }
});

Deno.test("docs/api.md lists every option of openStore", async () => {
  const files = ["sqlite/open_options.ts", "store/store_options.ts"];
  for (const file of files) {
    const url = new URL(`../../src/${file}`, import.meta.url);
    const source = await Deno.readTextFile(url);
    const [, body] = /^export interface \w+Options.*?\{\n(.*?)^\}/ms.exec(
      source,
    )!;
    for (const [, name] of body.matchAll(/^ {2}(\w+)\??:/gm)) {
      assertStringIncludes(api.text, `| \`${name}\``);
    }
  }
});
