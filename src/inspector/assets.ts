/**
 * The files that the browser loads: those of the page, and the libraries that
 * it uses. All come with the package and its npm dependencies, as modules that
 * Deno has loaded already: nothing is built, no file is read, and no request
 * leaves the machine.
 *
 * The page's own scripts are TypeScript. Their types are taken out when they
 * are first asked for; so they may use only what can be taken out (no `enum`,
 * no JSX), and name their modules with the suffix. A browser knows no package
 * names: `from "preact"` becomes the path of the library's file.
 *
 * @module
 */
import { toHex } from "../base/byte_texts.ts";
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
  /** Another one if the body is another one. */
  readonly etag: string;
}

/** The path of the page itself: that of the mount. */
export const INDEX = "";

/** Under this path are the page's scripts and styles, and below it `lib/`. */
const ASSETS = "assets/";

/** The libraries by the name that modules have for them. */
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

/** The texts of all files, by their paths. Scripts are as they are written. */
const SOURCES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(PAGE_FILES).map(([name, text]) =>
    [name === "index.html" ? INDEX : `${ASSETS}${name}`, text] as const
  ),
  ...Object.values(LIBRARIES).map(({ path, text }) =>
    [`${ASSETS}${path}`, text] as const
  ),
  [`${ASSETS}lib/uplot.css`, uplotStyle],
]);

/** What was made of a source is made once. */
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
  const etag = `"${toHex(new Uint8Array(hash)).slice(0, 32)}"`;
  return { type: TYPES[suffix], body, etag };
}

function scriptOf(path: string, suffix: string, source: string): string {
  if (suffix === "ts") return withPaths(stripTypeScriptTypes(source), path);
  return suffix === "js" ? withPaths(source, path) : source;
}

/**
 * A bare name in an import: as it is written, or as publishing the package
 * rewrites it, such as "npm:preact@^10.0.0/hooks".
 */
const BARE =
  /(?<before>\b(?:from|import)\s*\(?\s*)(?<quote>["'])(?:npm:)?\/?(?<name>[a-z][\w.-]*)(?:@[^/"']*)?(?<rest>\/[\w./-]+)?\k<quote>/g;

/** A module's text, with the paths of the libraries that it imports. */
export function withPaths(text: string, path: string): string {
  const depth = path.slice(ASSETS.length).split("/").length - 1;
  const up = depth === 0 ? "./" : "../".repeat(depth);
  return text.replace(BARE, (whole, before, quote, name, rest = "") => {
    const library = LIBRARIES[`${name}${rest}`];
    return library ? `${before}${quote}${up}${library.path}${quote}` : whole;
  });
}
