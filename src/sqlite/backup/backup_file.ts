/**
 * The file system's part of a backup: the copy is written beside its target,
 * under a temporary name, and moved into place when it is complete.
 *
 * A database that may be open in this process is never opened here: closing it
 * would drop SQLite's locks on it
 * (https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
 *
 * @module
 */
import { dirname } from "../../base/paths.ts";
import {
  type FileStatus,
  hasCode,
  platform,
  type SyncedFile,
} from "../../base/platform.ts";
import { StoreError } from "../../contract/errors.ts";
import { describeFile, stat } from "../file/database_file.ts";
import type { DatabaseLocation } from "../driver/driver.ts";
import { type Holder, holderOf, identify } from "../driver/file_claims.ts";

/** The target of a backup. */
export interface Target {
  /** The action, for messages. */
  readonly action: string;
  readonly path: string;
  /** Whether it may replace a file. */
  readonly overwrite: boolean;
}

/** Files beside a path that SQLite would use as parts of the database. */
const LOGS = ["-wal", "-journal"];

/** The same target. If it is a link, the file that the link points to. */
export async function followLink(target: Target): Promise<Target> {
  const { path, overwrite } = target;
  const isLink = overwrite && (await lstat(path))?.isSymlink;
  return isLink ? { ...target, path: platform.realPathSync(path) } : target;
}

/** Throws `StoreError` if a backup may not be written to the target as it is now. */
export async function assertFree(
  { action, path, overwrite }: Target,
  source: DatabaseLocation,
): Promise<void> {
  const refuse = (reason: string) =>
    new StoreError("STORAGE", `Cannot ${action}: ${reason}`);
  const found = stat(path);
  if (found && !found.isFile) {
    throw refuse(`it is ${describeFile(found)}; give the path of a file`);
  }
  if (!overwrite && await lstat(path)) throw refuse(IS_THERE);
  if (found && identify({ path, mode: "ro" }) === identify(source)) {
    throw refuse("it is the store's own file; give another path");
  }
  const holder = holderOf(path);
  if (holder) throw refuse(HELD[holder]);
  for (const log of LOGS) {
    if ((stat(path + log)?.size ?? 0) === 0) continue;
    throw refuse(
      `the file ${path}${log} is beside it, and SQLite would apply it to the backup; close the program that has that database open, or remove the file`,
    );
  }
}

const HELD: Record<Holder, string> = {
  "a store":
    "a store of this process has it open; close that store, or give another path",
  "perhaps a Worker":
    "a Worker without the permission to read the environment has a file of this directory open, which may be this file; close it, or give a path in another directory",
};

const IS_THERE =
  "there is a file already; give another path, or overwrite: true";

async function lstat(path: string): Promise<FileStatus | undefined> {
  try {
    return await platform.lstat(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Opens the directory of the target, to sync it. On Windows a directory cannot be opened. */
export function openDirectoryOf(
  { path }: Target,
): Promise<SyncedFile | undefined> {
  return platform.openFolder(dirname(path));
}

/**
 * Creates an empty file beside the target, and returns its path. If the source
 * is a file, nobody else may read the new file.
 */
export async function createBeside(
  { path }: Target,
  source: DatabaseLocation,
): Promise<string> {
  const copy = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  const mode = source.memory ? 0o666 : 0o600;
  await platform.createFile(copy, mode);
  return copy;
}

/** Gives the copy the permissions of its source, and syncs it. SQLite has closed it. */
export async function settle(
  copy: string,
  source: DatabaseLocation,
): Promise<void> {
  const file = await platform.openFile(copy);
  try {
    const mode = modeOf(source);
    if (mode !== undefined) await platform.chmod(copy, mode);
    await file.sync();
  } finally {
    file.close();
  }
}

function modeOf({ path, memory }: DatabaseLocation): number | undefined {
  if (memory || platform.isWindows) return undefined;
  const mode = stat(path)?.mode ?? undefined;
  return mode === undefined ? undefined : mode & 0o777;
}

/** Moves a copy to its target, in one step. */
export async function putInPlace(copy: string, target: Target): Promise<void> {
  const { action, path, overwrite } = target;
  if (overwrite) return await platform.rename(copy, path);
  try {
    await takePlace(copy, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    throw new StoreError("STORAGE", `Cannot ${action}: ${IS_THERE}`);
  }
}

/** Gives a copy another name, unless that name is taken. */
async function takePlace(copy: string, path: string): Promise<void> {
  try {
    return await platform.link(copy, path);
  } catch (error) {
    if (hasCode(error, "EEXIST")) throw error;
  }
  // A file system without hard links, such as FAT: an empty file reserves the
  // name.
  await platform.createFile(path);
  try {
    await platform.rename(copy, path);
  } catch (error) {
    await platform.remove(path);
    throw error;
  }
}

/** Makes the names in a directory durable, if the file system supports it. */
export async function syncDirectory(
  directory: SyncedFile | undefined,
): Promise<void> {
  try {
    await directory?.sync();
  } catch (error) {
    if (!hasCode(error, ...CANNOT_SYNC)) throw error;
  }
}

/**
 * The errors of fsync(2) for a file that cannot be synced; some network file
 * systems give them for directories.
 */
const CANNOT_SYNC = ["EINVAL", "ENOTSUP", "EOPNOTSUPP"];

/** Removes a copy, and the files that SQLite may have created beside it. */
export async function removeCopy(copy: string): Promise<void> {
  for (const suffix of ["", "-journal", "-wal", "-shm"]) {
    await platform.remove(copy + suffix).catch(() => {});
  }
}
