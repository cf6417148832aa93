/**
 * The links of a document, and what they lead to.
 *
 * @module
 */
import { dirname, join } from "node:path/posix";
import { type Page, proseOf } from "./pages.ts";

/** Where the project is published. */
export const ADDRESS = "https://github.com/zestor-dev/zestor-deno";

const FILES = [
  `${ADDRESS}/blob/main/`,
  `${ADDRESS}/tree/main/`,
  "https://raw.githubusercontent.com/zestor-dev/zestor-deno/main/",
];

/** A place in this project that a link leads to. */
export interface Target {
  /** From the root of the project. */
  readonly path: string;
  /** What follows the `#`, or `""`. */
  readonly fragment: string;
}

/** The links and the pictures of a page, as they are written. */
export function linksOf(page: Page): string[] {
  const prose = proseOf(page).replace(/`[^`\n]*`/g, "`code`");
  const inline = prose.matchAll(/\]\(<?([^)>\s]+)>?(?:\s[^)]*)?\)/g);
  const defined = prose.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm);
  const html = prose.matchAll(/\b(?:href|src)="([^"]+)"/g);
  return [...inline, ...defined, ...html].map(([, link]) => link);
}

/** The addresses of this project's files in any text, such as a comment. */
export function addressesIn(text: string): string[] {
  return (text.match(/https:\/\/[^\s)>"'`\]}]+/g) ?? [])
    .map((address) => address.replace(/[.,;:]+$/, ""))
    .filter((address) => FILES.some((start) => address.startsWith(start)));
}

/** The place in this project; `undefined` if the link leads elsewhere. */
export function targetOf(link: string, from: string): Target | undefined {
  const start = FILES.find((start) => link.startsWith(start));
  if (start === undefined && /^[a-z]+:/.test(link)) return undefined;
  const rest = start === undefined ? link : link.slice(start.length);
  const [path, fragment = ""] = rest.split("#");
  if (start !== undefined) return { path, fragment };
  return {
    path: path === "" ? from : join(dirname(from), path),
    fragment,
  };
}

/** The fragments of a page's headings, as GitHub makes them. */
export function fragmentsOf(page: Page): Set<string> {
  const fragments = new Set<string>();
  for (const [, title] of proseOf(page).matchAll(/^#+ (.+)$/gm)) {
    const fragment = title.toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/[^\p{L}\p{M}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-");
    let name = fragment;
    for (let i = 1; fragments.has(name); i++) name = `${fragment}-${i}`;
    fragments.add(name);
  }
  return fragments;
}
