/**
 * The files for the browser: those of the page, and its libraries. All come
 * with the package and its npm dependencies, as modules that Deno has already
 * loaded. So there is no build step, no file is read, and nothing is loaded
 * from the Internet.
 *
 * The page's own scripts are TypeScript. Their types are removed at the first
 * request. So they may use only syntax that can be removed (no `enum`, no JSX),
 * and their imports have file extensions. A browser knows no package names, so
 * `from "preact"` becomes the path of the library's file.
 *
 * @module
 */
import { stripTypeScriptTypes } from "node:module";
import diffBase from "diff/lib/diff/base.js" with { type: "text" };
import diffLine from "diff/lib/diff/line.js" with { type: "text" };
import diffParams from "diff/lib/util/params.js" with { type: "text" };
import htm from "htm" with { type: "text" };
import htmPreact from "htm/preact" with { type: "text" };
import preact from "preact" with { type: "text" };
import preactHooks from "preact/hooks" with { type: "text" };
import uplot from "uplot/dist/uPlot.esm.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import { PAGE_FILES } from "./page/files.ts";

/** A file for the browser. */
export interface Asset {
  /** Its media type. */
  readonly type: string;
  readonly body: string;
  /** It changes with the body. */
  readonly etag: string;
}

/** The path of the page itself, which is the path of the mount. */
export const INDEX = "";

/** The page's scripts and styles are under this path, and the libraries below it in `lib/`. */
const ASSETS = "assets/";

/** The libraries, by the name in imports. */
const LIBRARIES: Readonly<Record<string, { path: string; text: string }>> = {
  "diff/lib/diff/base.js": { path: "lib/diff/diff/base.js", text: diffBase },
  "diff/lib/diff/line.js": { path: "lib/diff/diff/line.js", text: diffLine },
  "diff/lib/util/params.js": {
    path: "lib/diff/util/params.js",
    text: diffParams,
  },
  "htm": { path: "lib/htm.js", text: htm },
  "htm/preact": { path: "lib/htm-preact.js", text: htmPreact },
  "preact": { path: "lib/preact.js", text: preact },
  "preact/hooks": { path: "lib/preact-hooks.js", text: preactHooks },
  "uplot": { path: "lib/uplot.js", text: uplot },
};

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml; charset=utf-8",
  ts: "text/javascript; charset=utf-8",
};

/** The texts of all files, by path. Scripts are in their original form. */
const SOURCES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(PAGE_FILES).map(([name, text]) =>
    [name === "index.html" ? INDEX : `${ASSETS}${name}`, text] as const
  ),
  ...Object.values(LIBRARIES).map(({ path, text }) =>
    [`${ASSETS}${path}`, text] as const
  ),
  [`${ASSETS}lib/uplot.css`, uplotStyle],
]);

/** Each file is made once. */
const made = new Map<string, Promise<Asset>>();

/** The paths of all files, relative to the mount. */
export function assetPaths(): string[] {
  return [...SOURCES.keys()];
}

/** The file at a path, relative to the mount; `undefined` if there is none. */
export function assetAt(path: string): Promise<Asset> | undefined {
  const source = SOURCES.get(path);
  if (source === undefined) return undefined;
  const asset = made.get(path) ?? makeAsset(path, source);
  made.set(path, asset);
  return asset;
}

async function makeAsset(path: string, source: string): Promise<Asset> {
  const suffix = path === INDEX ? "html" : path.split(".").at(-1)!;
  const body = scriptOf(path, suffix, source);
  const bytes = new TextEncoder().encode(body);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  const etag = `"${new Uint8Array(hash).toHex().slice(0, 32)}"`;
  return { type: TYPES[suffix], body, etag };
}

function scriptOf(path: string, suffix: string, source: string): string {
  if (suffix === "ts") return withPaths(stripTypeScriptTypes(source), path);
  return suffix === "js" ? withPaths(source, path) : source;
}

/**
 * A bare name in an import: in its original form, or as publishing rewrites it,
 * such as "npm:preact@^10.0.0/hooks".
 */
const BARE =
  /(?<before>\b(?:from|import)\s*\(?\s*)(?<quote>["'])(?:npm:)?\/?(?<name>[a-z][\w.-]*)(?:@[^/"']*)?(?<rest>\/[\w./-]+)?\k<quote>/g;

/** A module's text, with the paths of its libraries. */
export function withPaths(text: string, path: string): string {
  const depth = path.slice(ASSETS.length).split("/").length - 1;
  const up = depth === 0 ? "./" : "../".repeat(depth);
  return text.replace(BARE, (whole, before, quote, name, rest = "") => {
    const library = LIBRARIES[`${name}${rest}`];
    return library ? `${before}${quote}${up}${library.path}${quote}` : whole;
  });
}
