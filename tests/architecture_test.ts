/**
 * The rooms of the source: imports point down, in no circle, and no file has so
 * many lines that it must have two jobs.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** From the ground up: a room imports from itself, and from those before it. */
const ROOMS = [
  "base",
  "contract",
  "keys",
  "values",
  "engine",
  "local",
  "remote",
  "store",
  "memory",
  "sqlite",
  "postgres",
  "etcd",
  "testing",
  "otel",
  "inspector",
  "cli",
];

/** Rooms that stand side by side: neither imports from the other. */
const APART: readonly (readonly [string, string])[] = [
  ["local", "store"],
  ["memory", "sqlite"],
  ["remote", "local"],
  ["remote", "memory"],
  ["remote", "sqlite"],
  ["remote", "testing"],
  ["postgres", "local"],
  ["postgres", "memory"],
  ["postgres", "sqlite"],
  ["postgres", "testing"],
  ["etcd", "local"],
  ["etcd", "memory"],
  ["etcd", "sqlite"],
  ["etcd", "postgres"],
  ["etcd", "testing"],
  ["testing", "memory"],
  ["testing", "sqlite"],
  ["testing", "local"],
  ["testing", "store"],
  ["inspector", "memory"],
  ["inspector", "sqlite"],
  ["inspector", "postgres"],
  ["inspector", "etcd"],
  ["inspector", "local"],
  ["inspector", "testing"],
  ["inspector", "otel"],
  ["otel", "memory"],
  ["otel", "sqlite"],
  ["otel", "postgres"],
  ["otel", "local"],
  ["otel", "remote"],
  ["otel", "testing"],
];

const MOST_LINES = 450;

const src = fileURLToPath(new URL("../src", import.meta.url));
const files = new Map<string, string>();
for (const path of listFiles(src)) {
  files.set(
    relative(src, path).replaceAll("\\", "/"),
    Deno.readTextFileSync(path),
  );
}

function* listFiles(dir: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(dir)) {
    const path = join(dir, name);
    if (isDirectory) yield* listFiles(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

/** Whether there is such a file, such as one that is imported as text. */
function isThere(file: string): boolean {
  try {
    return Deno.statSync(join(src, file)).isFile;
  } catch {
    return false;
  }
}

function roomOf(file: string): string {
  return file.split("/")[0];
}

/** The source files that a file imports, for types too; examples in comments do not count. */
function importsOf(file: string): string[] {
  const code = files.get(file)!.replaceAll(/^ *\*.*$/gm, "");
  const specifiers = code.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g);
  return [...specifiers].map(([, specifier]) =>
    join(dirname(file), specifier).replaceAll("\\", "/")
  );
}

Deno.test("every import of the source is of a file that was read", () => {
  const missing = [...files.keys()].flatMap(importsOf)
    .filter((file) => !files.has(file) && !file.startsWith(".."))
    .filter((file) => file.endsWith(".ts") || !isThere(file));
  assertEquals(missing, []);
  assertEquals(
    ROOMS.filter((room) => !files.keys().some((f) => roomOf(f) === room)),
    [],
  );
});

Deno.test("imports point down", () => {
  const wrong = [...files.keys()].flatMap((file) =>
    importsOf(file).filter((imported) => {
      const [from, to] = [roomOf(file), roomOf(imported)];
      const isApart = APART.some((pair) =>
        from !== to && pair.includes(from) && pair.includes(to)
      );
      return isApart || ROOMS.indexOf(to) > ROOMS.indexOf(from);
    }).map((imported) => `${file} -> ${imported}`)
  );
  assertEquals(wrong, []);
});

Deno.test("no files import each other in a circle", () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) circles.push([...path, file].join(" -> "));
    if (done.has(file) || path.includes(file)) return;
    for (const imported of importsOf(file)) {
      if (files.has(imported)) visit(imported, [...path, file]);
    }
    done.add(file);
  };
  for (const file of files.keys()) visit(file, []);
  assertEquals(circles, []);
});

Deno.test(`no file of the source has more than ${MOST_LINES} lines`, () => {
  const long = [...files].map(([file, text]) => ({
    file,
    lines: text.split("\n").length - 1,
  })).filter(({ lines }) => lines > MOST_LINES);
  assertEquals(long, []);
});

/** What works in Deno alone. All else asks `base/platform.ts`. */
const OF_DENO = [
  "base/platform/deno.ts",
  "etcd/gateway/gateway.ts",
  "sqlite/driver/load.ts",
  "sqlite/driver/native_library.ts",
];

Deno.test("only what works in Deno alone asks Deno", () => {
  const asking = [...files].filter(([file, text]) =>
    roomOf(file) !== "cli" &&
    /\bDeno\.\w/.test(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ""))
  ).map(([file]) => file);
  assertEquals(asking.sort(), OF_DENO);
});
