/**
 * What README.md says beside its code blocks, which the test command runs.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertStringIncludes,
} from "@std/assert";
import * as zestor from "@zestor/store";
import { connect, fileAt } from "./support/connect.ts";
import { drivers, openOn } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

const [builtin] = drivers;
const readme = await Deno.readTextFile(
  new URL("../README.md", import.meta.url),
);

function blocks(language: string): string[] {
  const fence = new RegExp("^```" + language + "\\n(.*?)^```", "gms");
  return Array.from(readme.matchAll(fence), ([, code]) => code);
}

Deno.test("README.md shows the table as it is in a file", async () => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await (await openOn(builtin, { path })).close();
  using file = await connect(builtin, fileAt(path));
  using shown = await connect(builtin);
  const [sql] = blocks("sql");
  shown.exec(sql);
  const columns = "SELECT * FROM pragma_table_info('zestor_kv')";
  assertEquals(
    shown.prepare(columns).all(),
    file.prepare(columns).all(),
  );
});

Deno.test("README.md lists every operation of a store", async () => {
  const operations = new Set<string>();
  for (const file of ["store.ts", "reads.ts", "writes.ts"]) {
    const url = new URL(`../src/contract/${file}`, import.meta.url);
    const methods = (await Deno.readTextFile(url)).matchAll(
      /^ {2}([a-z]\w*)[(<]/gm,
    );
    for (const [, name] of methods) operations.add(name);
  }
  assertGreater(operations.size, 20);
  const [, listed] = readme.split("## Operations");
  for (const name of operations) assertStringIncludes(listed, `\`${name}(`);
});

Deno.test("README.md lists every error", () => {
  const errors = Object.entries(zestor).filter(([, value]) =>
    typeof value === "function" &&
    value.prototype instanceof zestor.StoreError
  );
  assertGreater(errors.length, 15);
  for (const [name] of errors) assertStringIncludes(readme, `| \`${name}\``);
});

Deno.test("README.md names tasks that there are", async () => {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(new URL("../deno.json", import.meta.url)),
  );
  const named = Array.from(
    readme.matchAll(/\bdeno(?:@[\d.]+)? task (\w+)/g),
    ([, task]) => task,
  );
  assertGreater(named.length, 3);
  for (const task of named) assert(task in tasks, `no task ${task}`);
});

Deno.test("README.md links to files that there are", async () => {
  const links = Array.from(
    readme.matchAll(/\]\(([\w./]+)\)/g),
    ([, link]) => link,
  );
  assertGreater(links.length, 3);
  for (const link of links) {
    await Deno.stat(new URL(`../${link}`, import.meta.url));
  }
});

Deno.test("README.md links to sections that there are", () => {
  const headings = Array.from(
    readme.matchAll(/^#+ (.+)$/gm),
    ([, title]) =>
      title.toLowerCase().replace(/[^\w -]/g, "").replaceAll(" ", "-"),
  );
  const links = Array.from(
    readme.matchAll(/\]\(#([^)]+)\)/g),
    ([, link]) => link,
  );
  assertGreater(links.length, 10);
  for (const link of links) assert(headings.includes(link), `no #${link}`);
});
