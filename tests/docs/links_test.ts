/**
 * The links in the documents lead somewhere.
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import {
  ADDRESS,
  addressesIn,
  fragmentsOf,
  linksOf,
  type Target,
  targetOf,
} from "../support/docs/links.ts";
import { type Page, readPage, readPages } from "../support/docs/pages.ts";

const root = new URL("../../", import.meta.url);

/** The documents for users, and those for contributors. */
async function readDocuments(): Promise<Page[]> {
  const documents = await readPages();
  for await (const { name } of Deno.readDir(root)) {
    if (name.endsWith(".md") && name !== "README.md") {
      documents.push(await readPage(name));
    }
  }
  documents.push(await readPage("bench/RESULTS.md"));
  return documents;
}

const documents = await readDocuments();

/** What is wrong with a link to this project. */
async function problemOf({ path, fragment }: Target): Promise<string | void> {
  if (path.startsWith("..")) return "it leads out of the project";
  const info = await Deno.stat(new URL(path, root)).catch(() => undefined);
  if (!info) return "there is no such file";
  if (fragment === "" || /^L\d+(-L\d+)?$/.test(fragment)) return;
  if (!path.endsWith(".md")) return "only documents have headings";
  if (!fragmentsOf(await readPage(path)).has(fragment)) {
    return "there is no such heading";
  }
}

async function problemsIn(
  path: string,
  links: readonly string[],
): Promise<string[]> {
  const problems: string[] = [];
  for (const link of links) {
    const target = targetOf(link, path);
    const problem = target && await problemOf(target);
    if (problem) problems.push(`${path}: ${link}: ${problem}`);
  }
  return problems;
}

Deno.test("every link of a document to this project leads to a file and a heading", async () => {
  const links = documents.flatMap(linksOf);
  assertGreater(links.length, 50);
  const problems = documents.map((page) =>
    problemsIn(page.path, linksOf(page))
  );
  assertEquals((await Promise.all(problems)).flat(), []);
});

Deno.test("every link of a comment in the source to this project leads to a file and a heading", async () => {
  const problems: string[] = [];
  for await (const path of sources()) {
    const text = await Deno.readTextFile(new URL(path, root));
    problems.push(...await problemsIn(path, addressesIn(text)));
  }
  assertEquals(problems, []);
});

Deno.test("README.md has no relative link, because JSR shows it, too", () => {
  const links = linksOf(readme());
  assertGreater(links.length, 10);
  const relative = links.filter((link) => !/^(https:\/\/|#)/.test(link));
  assertEquals(relative, []);
});

Deno.test("README.md links to every page of docs", () => {
  const linked = new Set(
    linksOf(readme()).map((link) => targetOf(link, "README.md")?.path),
  );
  for (const { path } of documents) {
    if (path.startsWith("docs/")) {
      assert(linked.has(path), `no link to ${path}`);
    }
  }
});

Deno.test("README.md has at most 200 lines", () => {
  const lines = readme().text.trimEnd().split("\n");
  assert(lines.length <= 200, `it has ${lines.length} lines`);
});

Deno.test("a wrong link is found, whatever its form", async () => {
  const text = [
    "# A title, `code` and [a link](x)",
    "[a](missing.md) ![b](<missing.png>) [c](#no-heading)",
    `[d](${ADDRESS}/blob/main/missing.ts "title") [e](../../out.md)`,
    "[f](start.md#no-heading) [g](../mod.ts#no-heading)",
    '<img src="missing.svg"> [h]: x',
    "[i]: missing/",
    "```ts\n[in code](missing.md)\n```",
    "`[in code](missing.md)` [j](#a-title-code-and-a-link) [k](../LICENSE)",
    "[l](https://example.com/missing.md) [m](../mod.ts#L3)",
  ].join("\n");
  const page = { path: "docs/page.md", text };
  const found = await Promise.all(
    linksOf(page).map(async (link) => {
      const target = targetOf(link, page.path);
      if (!target) return [];
      if (target.path !== page.path) {
        return await problemOf(target) ? [link] : [];
      }
      return fragmentsOf(page).has(target.fragment) ? [] : [link];
    }),
  );
  assertEquals(found.flat().sort(), [
    "#no-heading",
    "../../out.md",
    "../mod.ts#no-heading",
    `${ADDRESS}/blob/main/missing.ts`,
    "missing.md",
    "missing.png",
    "missing.svg",
    "missing/",
    "start.md#no-heading",
    "x",
  ]);
  assertEquals(addressesIn(`See (${ADDRESS}/blob/main/docs/a.md#b).`), [
    `${ADDRESS}/blob/main/docs/a.md#b`,
  ]);
});

function readme(): Page {
  return documents.find(({ path }) => path === "README.md")!;
}

/** The files of code that are published. */
async function* sources(dir = "src"): AsyncGenerator<string> {
  if (dir === "src") yield "mod.ts";
  for await (const { name, isDirectory } of Deno.readDir(new URL(dir, root))) {
    const path = `${dir}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts")) yield path;
  }
}
