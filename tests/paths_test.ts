/**
 * Paths are taken apart and put together as `node:path` does.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import * as node from "node:path";
import * as own from "../src/base/paths.ts";

const PATHS = [
  ...["", ".", "..", "/", "//", "///", "a", "a/", "a//", "/a", "/a/"],
  ...["a/b", "a//b", "a/b/", "/a/b", "/a//b//", "a/./b", "./a", "./", "/./a"],
  ...[
    "a/../b",
    "../a",
    "a/..",
    "a/../..",
    "a/../../b",
    "../../a",
    "/..",
    "/../a",
  ],
  ...[
    "a.db",
    "x/a.db-wal",
    ".a",
    "..a",
    "a..",
    "...",
    "a b/c d",
    "ä/ö.db",
    "a\nb/c",
  ],
];

/** Node.js keeps some slashes that say nothing. */
function withoutSlashes(path: string): string {
  return path.replaceAll(/\/+/g, "/").replace(/(?<=.)\/$/, "");
}

Deno.test("`posix` has the results of `node:path`", () => {
  for (const path of PATHS) {
    for (
      const name of ["isAbsolute", "dirname", "basename", "resolve"] as const
    ) {
      // On Windows, Node.js resolves from a directory with backslashes.
      if (name === "resolve" && Deno.build.os === "windows") continue;
      const expected = node.posix[name](path);
      assertEquals(
        own.posix[name](path),
        typeof expected === "string" ? withoutSlashes(expected) : expected,
        `${name}(${JSON.stringify(path)})`,
      );
    }
    for (const other of PATHS) {
      assertEquals(
        own.posix.join(path, other),
        withoutSlashes(node.posix.join(path, other)),
        `join(${JSON.stringify([path, other])})`,
      );
    }
  }
});

Deno.test("the paths are those of this system", () => {
  const [path, name] = [Deno.execPath(), "app.db"];
  assertEquals(own.isAbsolute(path), true);
  assertEquals(own.dirname(path), node.dirname(path));
  assertEquals(own.basename(path), node.basename(path));
  assertEquals(own.join(path, "..", name), node.join(path, "..", name));
  assertEquals(own.resolve(name), node.resolve(name));
});
