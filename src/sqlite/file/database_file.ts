/**
 * Checks of a database's file that SQLite does not make. All paths are real
 * paths, because SQLite creates its other files beside the real path.
 *
 * @module
 */
import { type FileStatus, platform } from "../../base/platform.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import type { DatabaseLocation } from "../driver/driver.ts";

/**
 * Throws `StoreOpenError` if the path is not a regular file. Opening a FIFO
 * would wait for a writer for ever, and SQLite would create files beside a
 * device. It also throws if the file has several names, or if the file is empty
 * and SQLite would discard its write-ahead log.
 */
export function assertDatabaseFile({ path, memory }: DatabaseLocation): void {
  const found = memory ? undefined : stat(path);
  if (!found) return;
  if (!found.isFile) {
    throw new StoreOpenError(
      `Cannot open store at ${path}: it is ${
        describeFile(found)
      }; give the path of a file`,
    );
  }
  // SQLite names the write-ahead log after the path. Two names have two logs,
  // and neither has the changes of the other.
  if ((found.nlink ?? 1) > 1) {
    throw new StoreOpenError(
      `Cannot open store at ${path}: the file has ${found.nlink} hard links, and each name would get a write-ahead log of its own; remove the other names, or make them symbolic links`,
    );
  }
  if (found.size > 0) return;
  const wal = `${path}-wal`;
  if ((lookAt(wal)?.size ?? 0) === 0) return;
  throw new StoreOpenError(
    `Cannot open store at ${path}: the file is empty, but its write-ahead log is not; restore both from a backup, or remove ${wal} to begin with an empty store`,
  );
}

/** Describes a path that is not a regular file. */
export function describeFile(found: FileStatus): string {
  if (found.isDirectory) return "a directory";
  if (found.isFifo) return "a FIFO";
  return found.isSocket ? "a socket" : "a device";
}

/** What the process may see of a file, if there is one. */
export function stat(path: string): FileStatus | undefined {
  try {
    return platform.statSync(path);
  } catch {
    return undefined;
  }
}

/** The same, without asking for the permission. Nothing if the file is missing. */
export function lookAt(path: string): FileStatus | undefined {
  return mayRead(path) ? stat(path) : undefined;
}

/** The bytes of a database's file, and of its write-ahead log, if the process may see them. */
export function sizesOf(
  path: string,
): { size: number; walSize: number } | undefined {
  const found = stat(path);
  if (!found) return undefined;
  const wal = lookAt(`${path}-wal`);
  return { size: found.size, walSize: wal?.size ?? 0 };
}

/** Whether the process may read a file, without asking for the permission. */
export function mayRead(path: string): boolean {
  return platform.mayRead(path);
}
