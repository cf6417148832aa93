/**
 * What a backup does in the file system: it is written beside its target, under
 * a name of its own, and put in place when it is whole.
 *
 * A database that may be open in this process is looked at, and never opened:
 * to close it again would drop SQLite's locks on it
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

/** Where a backup is to be put. */
export interface Target {
  /** For messages: what is being done. */
  readonly action: string;
  readonly path: string;
  /** Whether it may replace a file. */
  readonly overwrite: boolean;
}

/** What SQLite would take for a part of the database at a path. */
const LOGS = ["-wal", "-journal"];

/** The same target, where it is a link that of the file it leads to. */
export async function followLink(target: Target): Promise<Target> {
  const { path, overwrite } = target;
  const isLink = overwrite && (await lstat(path))?.isSymlink;
  return isLink ? { ...target, path: platform.realPathSync(path) } : target;
}

/** Throws `StoreError` where a backup may not be put, as it is there now. */
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
      `beside it is ${path}${log}, which SQLite would apply to the backup; close whatever has that database open, or remove it`,
    );
  }
}

const HELD: Record<Holder, string> = {
  "a store":
    "a store of this process has it open; close that, or give another path",
  "perhaps a Worker":
    "a Worker that may not read the environment has a file of its directory open, which may be this one; close that, or give a path in another directory",
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

/** Opens the directory of the target, to sync it. Windows opens none. */
export function openDirectoryOf(
  { path }: Target,
): Promise<SyncedFile | undefined> {
  return platform.openFolder(dirname(path));
}

/** Makes an empty file beside the target, and gives its path. Nobody else may read it, where the source is a file. */
export async function createBeside(
  { path }: Target,
  source: DatabaseLocation,
): Promise<string> {
  const copy = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  const mode = source.memory ? 0o666 : 0o600;
  await platform.createFile(copy, mode);
  return copy;
}

/** Gives a copy to whoever may have the source, and sees that it is on the disk. SQLite has it open no more. */
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

/** Puts a copy at its target, in one step. */
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

/** Gives a copy another name, unless that is taken. */
async function takePlace(copy: string, path: string): Promise<void> {
  try {
    return await platform.link(copy, path);
  } catch (error) {
    if (hasCode(error, "EEXIST")) throw error;
  }
  // A file system without links, such as FAT: an empty file takes the place.
  await platform.createFile(path);
  try {
    await platform.rename(copy, path);
  } catch (error) {
    await platform.remove(path);
    throw error;
  }
}

/** Makes the names in a directory durable, if the file system can do that. */
export async function syncDirectory(
  directory: SyncedFile | undefined,
): Promise<void> {
  try {
    await directory?.sync();
  } catch (error) {
    if (!hasCode(error, ...CANNOT_SYNC)) throw error;
  }
}

/** What fsync(2) gives for a file that cannot be synced, and some network file systems for a directory. */
const CANNOT_SYNC = ["EINVAL", "ENOTSUP", "EOPNOTSUPP"];

/** Removes a copy, and what SQLite may have made beside it. */
export async function removeCopy(copy: string): Promise<void> {
  for (const suffix of ["", "-journal", "-wal", "-shm"]) {
    await platform.remove(copy + suffix).catch(() => {});
  }
}
