/**
 * The files that the browser loads: whole, from the package alone, and with
 * nothing in them that a browser or the policy of the page refuses.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  assetAt,
  assetPaths,
  INDEX,
  withPaths,
} from "../../src/inspector/assets.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { serveInspector } from "../support/inspector/serve.ts";

/** The names that a module imports. */
function importsOf(text: string): string[] {
  const code = text.replaceAll(/\/\*.*?\*\/|^\s*\/\/.*$/gms, "");
  const found = code.matchAll(
    /\b(?:from|import)\s*["']([^"'\n]+)["']/g,
  );
  return [...found].map(([, name]) => name);
}

for (const path of assetPaths()) {
  Deno.test(`the browser gets ${path || "the page"} as it can use it`, async () => {
    const { type, body, etag } = await assetAt(path)!;
    assert(body.length > 0);
    assert(/^"[0-9a-f]{32}"$/.test(etag), etag);
    assertEquals((await assetAt(path)!).etag, etag);
    if (!type.startsWith("text/javascript")) return;
    // Each of them is one of the files.
    const base = new URL(path, "http://localhost/");
    for (const name of importsOf(body)) {
      assert(/^\.\.?\//.test(name), `${path} imports ${name}`);
      const imported = new URL(name, base).pathname.slice(1);
      assert(assetPaths().includes(imported), `${path} imports ${imported}`);
    }
  });
}

Deno.test("the page has no script and no style within it, and names its files", async () => {
  const { body, type } = await assetAt(INDEX)!;
  assertEquals(type, "text/html; charset=utf-8");
  assert(!/<style|\sstyle=|\son\w+=|javascript:/i.test(body), body);
  for (
    const [, attributes, text] of body.matchAll(
      /<script([^>]*)>(.*?)<\/script>/gs,
    )
  ) {
    assert(attributes.includes("src="), attributes);
    assertEquals(text.trim(), "");
  }
  const named = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, it]) =>
    it
  );
  assert(named.length > 0);
  for (const name of named) {
    assert(assetPaths().includes(name), `the page names ${name}`);
  }
});

Deno.test("a file that is not changed is not sent again", async () => {
  await using store = await openMemoryStore();
  await using served = await serveInspector(store);
  const path = "assets/lib/preact.js";
  const first = await served.fetch(path);
  const etag = first.headers.get("etag")!;
  assertEquals((await first.text()).length, (await assetAt(path))!.body.length);
  const again = await served.fetch(path, {
    headers: { "if-none-match": etag },
  });
  assertEquals([again.status, await again.text()], [304, ""]);
  const other = await served.fetch(path, {
    headers: { "if-none-match": '"other"' },
  });
  assertEquals(other.status, 200);
  await other.body?.cancel();
});

Deno.test("names of packages become paths, also as publishing writes them", () => {
  const cases: [text: string, path: string, expected: string][] = [
    [
      `import{h}from"preact";`,
      "assets/a.ts",
      `import{h}from"./lib/preact.js";`,
    ],
    [
      `import { useState } from 'preact/hooks';`,
      "assets/view/a.ts",
      `import { useState } from '../lib/preact-hooks.js';`,
    ],
    [
      `import { h } from "npm:preact@^10.29.8";`,
      "assets/a.ts",
      `import { h } from "./lib/preact.js";`,
    ],
    [
      `import { useState } from "npm:/preact@^10.29.8/hooks";`,
      "assets/a.ts",
      `import { useState } from "./lib/preact-hooks.js";`,
    ],
    [
      `const Chart = await import("uplot");`,
      "assets/a.ts",
      `const Chart = await import("./lib/uplot.js");`,
    ],
    [`import "./preact.ts";`, "assets/a.ts", `import "./preact.ts";`],
    [`const text = "preact";`, "assets/a.ts", `const text = "preact";`],
    [`import x from "other";`, "assets/a.ts", `import x from "other";`],
  ];
  for (const [text, path, expected] of cases) {
    assertEquals(withPaths(text, path), expected);
  }
});
