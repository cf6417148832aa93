/**
 * Workers that may not read the environment. They cannot see the open files of
 * the other threads, and the others cannot see theirs, so each side shows
 * itself with a lock on a file. The locks of `Deno.FsFile` belong to the open
 * file, not to the process, so threads see each other's
 * (https://man7.org/linux/man-pages/man2/flock.2.html).
 *
 * - A store on the FFI binding locks the `-wal` beside the database, which
 *   SQLite itself never locks. If there is no `-wal`, it creates a file for the
 *   lock.
 * - A hidden Worker, which can only use the built-in library, locks the
 *   directory of the database.
 *
 * A lock does not show its process. So a hidden Worker is also refused if
 * another process has the file open with the FFI binding.
 *
 * The database and its `-shm` are never opened here, because closing them would
 * drop SQLite's own locks on them.
 *
 * @module
 */
import { dirname } from "../../base/paths.ts";
import { type LockableFile, platform } from "../../base/platform.ts";
import type { DatabaseLocation } from "./driver.ts";

/**
 * The pauses between attempts to lock, in ms. Another thread or process may
 * also be trying, and may be suspended while it holds the lock.
 */
const PAUSES_MS = [0, 0, 0, 1, 2, 4, 8, 16, 32];

/** Nobody changes it, so waiting for it is a pause. */
const NOTHING = new Int32Array(new SharedArrayBuffer(4));

/** Shows a store to threads that cannot see it otherwise. */
export interface Sign {
  /** Removes it. */
  remove(): void;
}

/** Whether this thread cannot see the open files of the other threads. */
export function isHidden(): boolean {
  // If the main thread may not read the environment, the process has no FFI
  // binding, because the binding reads it, too.
  return typeof WorkerGlobalScope !== "undefined" && !mayUseEnvironment();
}

declare const WorkerGlobalScope: unknown;

/**
 * Whether this thread can make and see claims in the environment, which needs
 * permission for all of it.
 */
export function mayUseEnvironment(): boolean {
  return platform.mayUseEnvironment();
}

/** Shows that a hidden Worker has the file open. */
export function showHidden({ path }: DatabaseLocation): Sign | undefined {
  return lockShared(dirname(path));
}

/** Whether a hidden Worker has a file of the same directory open. */
export function isHiddenThere({ path }: DatabaseLocation): boolean {
  return isLocked(dirname(path));
}

/** Shows to hidden Workers that the file is open with the FFI binding. The file has been opened. */
export function showFfi({ path, mode }: DatabaseLocation): Sign | undefined {
  const log = lockShared(`${path}-wal`);
  if (log || mode === "ro") return log;
  const file = lockFile(path);
  const sign = lockShared(file, { create: true });
  return sign && {
    remove() {
      sign.remove();
      if (isLocked(file)) return;
      try {
        platform.removeSync(file);
      } catch {
        // Another thread was quicker.
      }
    },
  };
}

/** Whether the file is open with the FFI binding, in this process or in another one. */
export function isFfiThere({ path }: DatabaseLocation): boolean {
  return isLocked(`${path}-wal`) || isLocked(lockFile(path));
}

function lockFile(path: string): string {
  return `${path}-lock`;
}

function lockShared(
  path: string,
  options?: { create: boolean },
): Sign | undefined {
  const file = platform.openToLock(path, options);
  if (!file) return undefined;
  if (tryLock(file, false)) return { remove: () => file.close() };
  file.close();
  return undefined;
}

function isLocked(path: string): boolean {
  const file = platform.openToLock(path);
  if (!file) return false;
  const isFree = tryLock(file, true);
  // Closing the file also ends the lock.
  file.close();
  return !isFree;
}

function tryLock(file: LockableFile, exclusive: boolean): boolean {
  try {
    for (const pause of PAUSES_MS) {
      if (file.tryLockSync(exclusive)) return true;
      if (pause > 0) Atomics.wait(NOTHING, 0, 0, pause);
    }
    return file.tryLockSync(exclusive);
  } catch {
    // The file system has no locks, so nobody holds one.
    return true;
  }
}
