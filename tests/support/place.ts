/**
 * What the file of `zestor watch --cursor` holds.
 *
 * @module
 */

/** The revision of the place in a file's text; `undefined` if it is not a whole one. */
export function revisionIn(text: string): number | undefined {
  try {
    const { cursor, revision } = JSON.parse(text);
    const [, named] = /^z1-(\d+)-[0-9a-z]{10}$/.exec(cursor) ?? [];
    return named === undefined ? revision : Number(named);
  } catch {
    return undefined;
  }
}

/** The revision of the place in a file; `undefined` if there is none. */
export async function revisionAt(path: string): Promise<number | undefined> {
  return revisionIn(await Deno.readTextFile(path).catch(() => ""));
}
