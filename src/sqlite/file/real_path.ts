/**
 * The real path of a database's file: absolute, with all symbolic links
 * followed. A store finds it once, when it opens. So the process may change its
 * directory later, and SQLite never follows a link itself.
 *
 * @module
 */
import {
  basename,
  dirname,
  isAbsolute,
  join,
  resolve,
} from "../../base/paths.ts";
import { hasCode, platform } from "../../base/platform.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import { assertDatabaseFile } from "./database_file.ts";
import type { DatabaseLocation } from "../driver/driver.ts";

/** The largest number of consecutive links to follow, as on Linux and macOS. */
const MOST_LINKS = 40;

/**
 * The longest path that SQLite usually opens, in bytes: its `MAX_PATHNAME`,
 * minus the end of the longest name that it creates beside the file.
 */
const LONGEST_PATH = 512 - "-journal".length;

/** The same for a file's name: file systems allow 255 bytes. */
const LONGEST_NAME = 255 - "-journal".length;

/**
 * The location with the file's real path. Throws `StoreOpenError` if there is
 * no such path, or if it does not lead to a file.
 */
export function atRealPath(location: DatabaseLocation): DatabaseLocation {
  if (location.memory) return location;
  // Here the error has the given path. Links may change later.
  assertDatabaseFile(location);
  try {
    return { ...location, path: realPath(location.path, location.mode) };
  } catch (cause) {
    throw new StoreOpenError(
      `Cannot open store at ${location.path}: ${problemOf(cause)}`,
      { cause },
    );
  }
}

/**
 * The real path of a file, which need not exist yet. It asks for no permission.
 * If Deno may not open the real path, for example because only the path of a
 * link is permitted, the result is the given path, made absolute.
 */
export function realPath(path: string, mode: DatabaseLocation["mode"]): string {
  const given = resolve(path);
  const found = followLinks(path);
  return found !== undefined && isPermitted(found, mode) ? found : given;
}

/** The reason why SQLite opens no file at a path that is too long, if it is. */
export function lengthProblem(path: string): string | undefined {
  // On Windows SQLite has no limit of its own.
  if (platform.isWindows) return undefined;
  const bytes = bytesOf(path);
  if (bytes > LONGEST_PATH) {
    return `the absolute path has ${bytes} bytes, and SQLite opens paths of up to ${LONGEST_PATH} bytes; use a shorter path`;
  }
  const nameBytes = bytesOf(basename(path));
  if (nameBytes > LONGEST_NAME) {
    return `the file's name has ${nameBytes} bytes, and SQLite can use names of up to ${LONGEST_NAME} bytes; use a shorter name`;
  }
  return undefined;
}

/** The path that a path leads to, even if the file does not exist; nothing if it is unknown. */
function followLinks(path: string): string | undefined {
  let next = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    const found = existingPath(next);
    if (found !== undefined) return found;
    // The path does not exist, or it is a link to a missing file.
    const directory = existingPath(dirname(next)) ?? resolve(dirname(next));
    const file = join(directory, basename(next));
    const target = linkAt(file);
    if (target === undefined) return file;
    // Not `join`: ".." after a link to a directory means the parent of its
    // target.
    next = isAbsolute(target) ? target : `${directory}/${target}`;
  }
  return undefined;
}

/** The real path of an existing file. Throws if links form a circle. */
function existingPath(path: string): string | undefined {
  if (!platform.mayRead(path)) return undefined;
  try {
    return platform.realPathSync(path);
  } catch (error) {
    if (hasCode(error, "ELOOP")) throw error;
    return undefined;
  }
}

function linkAt(path: string): string | undefined {
  if (!platform.mayRead(path)) return undefined;
  try {
    return platform.readLinkSync(path);
  } catch {
    return undefined;
  }
}

function isPermitted(path: string, mode: DatabaseLocation["mode"]): boolean {
  return platform.mayRead(path) && (mode === "ro" || platform.mayWrite(path));
}

function problemOf(error: unknown): string {
  return hasCode(error, "ELOOP")
    ? "its symbolic links lead in a circle; give the path of a file"
    : "the path is relative, but the current directory is unknown; give an absolute path";
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
