/**
 * The files of the page are all served, and none is named that is not there.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { assetAt, assetPaths } from "../../src/inspector/assets.ts";
import { PAGE_FILES } from "../../src/inspector/page/files.ts";

const root = fileURLToPath(
  new URL("../../src/inspector/page", import.meta.url),
);

function* filesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesIn(path);
    else yield relative(root, path).replaceAll("\\", "/");
  }
}

Deno.test("every file of the page is served", () => {
  const found = [...filesIn(root)].filter((name) => name !== "files.ts");
  assertEquals(Object.keys(PAGE_FILES).toSorted(), found.toSorted());
});

Deno.test("every import and every link of the page is of a file that is served", async () => {
  const base = "http://localhost/";
  const paths = new Set(assetPaths().map((path) => new URL(path, base).href));
  let count = 0;
  for (const path of assetPaths()) {
    const { type, body } = (await assetAt(path))!;
    const pattern = type.startsWith("text/javascript")
      ? /^(?:import|export)\b[^"']*["']([^"']+)["']/gm
      : type.startsWith("text/html")
      ? /(?:src|href)="([^"]+)"/g
      : undefined;
    if (pattern === undefined) continue;
    for (const [, specifier] of body.matchAll(pattern)) {
      const { href } = new URL(specifier, new URL(path, base));
      assert(paths.has(href), `${path} asks for ${specifier}`);
      count++;
    }
  }
  assert(count > 50, `${count} imports`);
});
