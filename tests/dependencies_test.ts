/**
 * What a user downloads. `deno task` downloads each npm package of `imports` in
 * deno.json before the first task runs, so packages of the tests and the
 * benchmark are in `scopes`.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

const root = new URL("../", import.meta.url);

interface Config {
  readonly imports: Readonly<Record<string, string>>;
  readonly scopes: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const { imports, scopes }: Config = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", root)),
);

async function* sources(folder: URL): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) {
      yield await Deno.readTextFile(new URL(name, folder));
    }
  }
}

/** The packages that the files of a folder name, with or without a path. */
async function packagesIn(folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const text of sources(new URL(folder, root))) {
    const specifiers = text.matchAll(
      /\b(?:from|import\(?|@ts-types=)\s*"((?:@[\w.-]+\/)?[\w.-]+)(?:\/[^"]*)?"/g,
    );
    for (const [, name] of specifiers) found.add(name);
  }
  return found;
}

Deno.test("the source imports each npm package of `imports`", async () => {
  const used = await packagesIn("src/");
  const unused = Object.entries(imports).filter(([name, specifier]) =>
    specifier.startsWith("npm:") && !used.has(name)
  );
  assertEquals(unused.map(([name]) => name), []);
});

Deno.test("a package has the same version in each scope", () => {
  const versions = new Map(Object.entries(imports));
  for (const [scope, packages] of Object.entries(scopes)) {
    for (const [name, specifier] of Object.entries(packages)) {
      assertEquals(versions.get(name) ?? specifier, specifier, scope + name);
      versions.set(name, specifier);
    }
  }
});
