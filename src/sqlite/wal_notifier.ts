/**
 * Notifies when somebody writes a database's write-ahead log, with the help of
 * the operating system.
 *
 * It watches only this file, never the directory. If a directory is watched,
 * Deno opens and closes each file in it that changes, and this process would
 * lose all locks that SQLite holds on the file
 * (https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
 * SQLite locks the database and its `-shm`, but never the write-ahead log,
 * which stays at its path while somebody has the database open.
 *
 * @module
 */
import { platform } from "../base/platform.ts";
import {
  type OpenNotifier,
  openSilentNotifier,
  type WriteListener,
} from "../local/wakeup.ts";
import { mayRead } from "./file/database_file.ts";
import type { DatabaseLocation } from "./driver/driver.ts";

/**
 * The notifications of writes to a database. The path of a file is its real
 * path, because the write-ahead log is beside it.
 */
export function notifierOf(location: DatabaseLocation): OpenNotifier {
  switch (location.memory) {
    case undefined:
      return (listener) => openWalNotifier(location.path, listener);
    case "private":
      return openSilentNotifier;
    case "shared":
      return () => undefined;
  }
}

function openWalNotifier(
  path: string,
  listener: WriteListener,
): Disposable | undefined {
  const wal = `${path}-wal`;
  if (!mayRead(wal)) return undefined;
  try {
    const close = platform.watchFile(wal, (event) => {
      if (event === "write") listener.onWrite();
      else listener.onEnd();
    });
    return { [Symbol.dispose]: close };
  } catch {
    // With a rollback journal there is no such file. The file system may also
    // have no notifications, or too many watchers.
    return undefined;
  }
}
