/**
 * Symbolic links, which may lead to a file that does not exist yet.
 *
 * @module
 */
import { dirname, isAbsolute, join } from "../base/paths.ts";

/** The largest number of links to follow, as on Linux. */
const MOST_LINKS = 40;

/**
 * The path that a path leads to, even if the file does not exist; `undefined`
 * for a link that leads to itself.
 */
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
