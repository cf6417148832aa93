/**
 * The texts of the files that the browser loads, where modules cannot be imported
 * as texts: in Node.js and Bun. They are read from the package's folder.
 *
 * @module
 */

/** The texts, by the names of the files, and of the libraries. */
export interface Texts {
  readonly page: Readonly<Record<string, string>>;
  readonly libraries: Readonly<Record<string, string>>;
  readonly uplotStyle: string;
}

/** The files of the page. The list of them is none. */
const OF_PAGE = /^(?!files\.ts$).*\.(ts|css|svg|html)$/;

/** Libraries whose name alone names a file that is no module. */
const MODULES: Readonly<Record<string, string>> = {
  uplot: "uplot/dist/uPlot.esm.js",
};

/** Reads the texts of the page, and of some libraries. */
export function readTexts(libraries: readonly string[]): Texts {
  const { readdirSync, readFileSync } = globalThis.process
    .getBuiltinModule("node:fs");
  const page = new URL("./page/", import.meta.url);
  const names = (readdirSync(page, { recursive: true }) as string[])
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => OF_PAGE.test(name));
  const read = (url: URL | string) => readFileSync(new URL(url), "utf8");
  const readLibrary = (name: string) => read(import.meta.resolve(name));
  return {
    page: Object.fromEntries(
      names.map((name) => [name, read(new URL(name, page))]),
    ),
    libraries: Object.fromEntries(
      libraries.map((name) => [name, readLibrary(MODULES[name] ?? name)]),
    ),
    uplotStyle: readLibrary("uplot/dist/uPlot.min.css"),
  };
}

/** What Bun has in place of `stripTypeScriptTypes`. */
interface Bun {
  readonly Transpiler: new (options: { loader: "ts" }) => {
    transformSync(code: string): string;
  };
}

/** TypeScript without its types. */
export function stripTypes(code: string): string {
  const { Bun } = globalThis as { Bun?: Bun };
  if (Bun) return new Bun.Transpiler({ loader: "ts" }).transformSync(code);
  const { stripTypeScriptTypes } = globalThis.process
    .getBuiltinModule("node:module");
  return stripTypeScriptTypes(code);
}
