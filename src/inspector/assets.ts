/**
 * The files that the browser loads: those of the page, and the libraries that
 * it uses. All come with the package and its npm dependencies: in Deno as modules
 * that are loaded already, in Node.js and Bun as files that are read once. Nothing
 * is built, and no request leaves the machine.
 *
 * The page's own scripts are TypeScript. Their types are removed at the first
 * request. So they may use only syntax that can be removed (no `enum`, no JSX),
 * and their imports have file extensions. A browser knows no package names, so
 * `from "preact"` becomes the path of the library's file.
 *
 * @module
 */
import { toHex } from "../base/byte_texts.ts";
import { isDeno } from "../base/platform.ts";
import { readTexts, stripTypes } from "./texts.ts";

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

/** The paths of the libraries, by the name that modules have for them. */
const LIBRARIES: Readonly<Record<string, string>> = {
  "diff/lib/diff/base.js": "lib/diff/diff/base.js",
  "diff/lib/diff/line.js": "lib/diff/diff/line.js",
  "diff/lib/util/params.js": "lib/diff/util/params.js",
  "htm": "lib/htm.js",
  "htm/preact": "lib/htm-preact.js",
  "preact": "lib/preact.js",
  "preact/hooks": "lib/preact-hooks.js",
  "uplot": "lib/uplot.js",
};

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml; charset=utf-8",
  ts: "text/javascript; charset=utf-8",
};

const { page, libraries, uplotStyle } = isDeno
  ? (await import("./module_texts.ts")).MODULE_TEXTS
  : readTexts(Object.keys(LIBRARIES));

/** The texts of all files, by path. Scripts are in their original form. */
const SOURCES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(page).map(([name, text]) =>
    [name === "index.html" ? INDEX : `${ASSETS}${name}`, text] as const
  ),
  ...Object.entries(LIBRARIES).map(([name, path]) =>
    [`${ASSETS}${path}`, libraries[name]] as const
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
  const etag = `"${toHex(new Uint8Array(hash)).slice(0, 32)}"`;
  return { type: TYPES[suffix], body, etag };
}

function scriptOf(path: string, suffix: string, source: string): string {
  if (suffix === "ts") return withPaths(stripTypes(source), path);
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
    const library = LIBRARIES[`${name}${rest}`] as string | undefined;
    return library ? `${before}${quote}${up}${library}${quote}` : whole;
  });
}
