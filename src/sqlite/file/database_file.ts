/**
 * What the file system says of a database's file, which SQLite does not ask.
 * Every path is the real one of the file: what SQLite makes is beside that.
 *
 * @module
 */
import { type FileStatus, platform } from "../../base/platform.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import type { DatabaseLocation } from "../driver/driver.ts";

/**
 * Throws `StoreOpenError` if the path is not a file: to open a FIFO waits for
 * a writer, for ever, and beside a device SQLite would make its own files. And
 * if the file has several names, or if SQLite would throw away the write-ahead
 * log of a file that lost the rest.
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
  // SQLite names the write-ahead log after the path: with two names there are
  // two logs, and neither has the changes of the other.
  if ((found.nlink ?? 1) > 1) {
    throw new StoreOpenError(
      `Cannot open store at ${path}: the file has ${found.nlink} hard links, and each name would get a write-ahead log of its own; remove the other names, or make them symbolic links`,
    );
  }
  if (found.size > 0) return;
  const wal = `${path}-wal`;
  if ((lookAt(wal)?.size ?? 0) === 0) return;
  throw new StoreOpenError(
    `Cannot open store at ${path}: the file is empty, and its write-ahead log is not; restore both from a backup, or remove ${wal} to begin anew`,
  );
}

/** What it is that is no file. */
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

/** The same without asking for the permission: nothing if it is missing. */
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
