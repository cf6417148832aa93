/**
 * Symbolic links, which may lead to a file that is not there yet.
 *
 * @module
 */
import { dirname, isAbsolute, join } from "../base/paths.ts";

/** How many links to a file are followed; the same number as Linux has. */
const MOST_LINKS = 40;

/** Where a path leads to, also if there is no file yet; `undefined` for a link that leads to itself. */
export function followLinks(path: string): string | undefined {
  let target = path;
  for (let count = 0; count < MOST_LINKS; count++) {
    const link = linkAt(target);
    if (link === undefined) return target;
    target = isAbsolute(link) ? link : join(dirname(target), link);
  }
  return undefined;
}

function linkAt(path: string): string | undefined {
  try {
    return Deno.lstatSync(path).isSymlink ? Deno.readLinkSync(path) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
