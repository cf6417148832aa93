/**
 * The real path of a database's file: absolute, with every symbolic link
 * followed. A store resolves it once, when it opens. So the process may change
 * its directory later, and SQLite never has to follow a link itself.
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

/** How many links one after the other are followed, as Linux and macOS do at most. */
const MOST_LINKS = 40;

/**
 * How many bytes of a path SQLite opens, as a rule: its `MAX_PATHNAME`, less
 * the end of the longest name that it makes beside the file.
 */
const LONGEST_PATH = 512 - "-journal".length;

/** The same for a file's name: file systems take 255 bytes. */
const LONGEST_NAME = 255 - "-journal".length;

/**
 * A location whose file has its real path. Throws `StoreOpenError` if there can
 * be no such path, or if it leads to something else than a file.
 */
export function atRealPath(location: DatabaseLocation): DatabaseLocation {
  if (location.memory) return location;
  // Here the error has the path as it was given. Links may change later.
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
 * The real path of a file, which may be still to be created. It asks for no
 * permission. If Deno may not open the real path, as when only a link's own
 * path is permitted, this is the path as it was given, made absolute.
 */
export function realPath(path: string, mode: DatabaseLocation["mode"]): string {
  const given = resolve(path);
  const found = followLinks(path);
  return found !== undefined && isPermitted(found, mode) ? found : given;
}

/** Why SQLite opens no file at a path that is too long, if that is so. */
export function lengthProblem(path: string): string | undefined {
  // There SQLite has no limit of its own.
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

/** Where a path leads to, also if there is no file yet; nothing if that cannot be told. */
function followLinks(path: string): string | undefined {
  let next = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    const found = existingPath(next);
    if (found !== undefined) return found;
    // It is not there, or it is a link to what is not there.
    const directory = existingPath(dirname(next)) ?? resolve(dirname(next));
    const file = join(directory, basename(next));
    const target = linkAt(file);
    if (target === undefined) return file;
    // Not `join`: ".." after a link to a directory is the target's parent.
    next = isAbsolute(target) ? target : `${directory}/${target}`;
  }
  return undefined;
}

/** The real path of what is there. Throws if links lead in a circle. */
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
    : "the path is relative, and the current directory cannot be told; give an absolute path";
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
