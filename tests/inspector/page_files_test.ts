/**
 * The files of the page are all named, and so served.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
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
