/**
 * The documents for users: README.md and the pages of docs/, and their blocks
 * of code.
 *
 * @module
 */

const root = new URL("../../../", import.meta.url);

/** A document. */
export interface Page {
  /** Its path from the root of the project, such as `docs/start.md`. */
  readonly path: string;
  /** What it says. */
  readonly text: string;
}

/** A block of code. */
export interface Block {
  /** Its language, such as `ts`, or `""` if it names none. */
  readonly language: string;
  /** If `deno test --doc` leaves it out. */
  readonly isIgnored: boolean;
  /** What is between the fences. */
  readonly code: string;
}

/** A block that is a file: its first line is a comment with the file's name. */
export interface FileBlock extends Block {
  readonly name: string;
}

/** Reads a document. */
export async function readPage(path: string): Promise<Page> {
  return { path, text: await Deno.readTextFile(new URL(path, root)) };
}

/** Reads README.md and all pages of docs/. */
export async function readPages(): Promise<Page[]> {
  const paths = ["README.md"];
  for await (const { name } of Deno.readDir(new URL("docs", root))) {
    if (name.endsWith(".md")) paths.push(`docs/${name}`);
  }
  return await Promise.all(paths.sort().map(readPage));
}

/** The blocks of a page, in their order. */
export function blocksOf({ text }: Page): Block[] {
  const fences = text.matchAll(/^```(\w*)([^\n]*)\n(.*?)^```$/gms);
  return Array.from(fences, ([, language, flags, code]) => ({
    language,
    isIgnored: flags.split(" ").includes("ignore"),
    code,
  }));
}

/** The codes of a page's blocks in a language, in their order. */
export function codesOf(page: Page, language: string): string[] {
  return blocksOf(page).filter((block) => block.language === language)
    .map(({ code }) => code);
}

/** The same block as a file, if it is one. */
export function asFile(block: Block): FileBlock | undefined {
  if (!block.isIgnored) return undefined;
  const name = /^\/\/ ([\w.-]+\.ts)\n/.exec(block.code)?.[1];
  return name === undefined ? undefined : { ...block, name };
}

/** If a block needs `--unstable-kv`. */
export function usesDenoKv({ isIgnored, code }: Block): boolean {
  return isIgnored && code.includes("Deno.openKv(");
}

/** If a block needs a server of this store. */
export function needsServer({ isIgnored, code }: Block): boolean {
  return isIgnored && /from "@zestor\/store\/(postgres|etcd)"/.test(code);
}

/** The text outside the blocks. */
export function proseOf({ text }: Page): string {
  return text.replace(/^```.*?^```$/gms, "");
}
