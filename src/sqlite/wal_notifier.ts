/**
 * Tells when a database's write-ahead log is being written, by whomever: by
 * notification of the operating system.
 *
 * It watches that one file, never the directory. Of each file that something
 * happens to in a watched directory, Deno opens and closes the file itself, and
 * with that this process would lose every lock that SQLite holds on it
 * (https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
 * SQLite locks the database and its `-shm`, but never the write-ahead log, and
 * that stays where it is for as long as somebody has the database open.
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

/** How to be notified of writes to a database. A file's path is its real one: the write-ahead log is beside that. */
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
    // There is none, with a rollback journal; or there are no notifications on
    // this file system, or too many watchers.
    return undefined;
  }
}
