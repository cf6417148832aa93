/**
 * Tells when a database's files are being written, by whomever: by notification
 * of the operating system. It watches their directory, since the write-ahead
 * log and the journal come and go.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import type { Location } from "./driver/driver.ts";

/** Who is told. */
export interface WriteListener {
  /**
   * Frames were written to the write-ahead log: they can be read any moment
   * now, and readers are in nobody's way.
   */
  onFrames(): void;
  /**
   * A transaction with a rollback journal is under way: it can be read when it
   * has ended, and readers hold it up.
   */
  onJournal(): void;
  /** There will be no more notifications. */
  onEnd(): void;
}

/**
 * Begins to tell a listener, until what it returns is disposed of: nothing
 * where there are no notifications. It keeps the process running meanwhile.
 */
export type OpenNotifier = (listener: WriteListener) => Disposable | undefined;

/** How to be notified of writes to a database. */
export function notifierOf(location: Location): OpenNotifier {
  switch (location.memory) {
    case undefined:
      return (listener) => openFileNotifier(location.path, listener);
    case "private":
      // Nobody else writes there: nothing to tell is all there is to tell.
      return () => ({ [Symbol.dispose]() {} });
    case "shared":
      return () => undefined;
  }
}

function openFileNotifier(
  path: string,
  listener: WriteListener,
): Disposable | undefined {
  const watcher = openWatcher(path);
  if (!watcher) return undefined;
  const { events, name } = watcher;
  let isOpen = true;
  const follow = async () => {
    try {
      for await (const event of events) {
        const file = writtenFile(event, name);
        if (!isOpen) return;
        if (file === "wal") listener.onFrames();
        else if (file === "journal") listener.onJournal();
      }
    } catch {
      // What has ended, for whatever reason, has ended.
    }
    if (isOpen) listener.onEnd();
  };
  follow();
  return {
    [Symbol.dispose]() {
      isOpen = false;
      events.close();
    },
  };
}

/** Watches the directory, without ever asking for a permission. */
function openWatcher(
  path: string,
): { events: Deno.FsWatcher; name: string } | undefined {
  try {
    if (!mayRead(path)) return undefined;
    // Where SQLite keeps its files: beside the database, not beside a link to it.
    const real = Deno.realPathSync(path);
    const directory = dirname(real);
    if (!mayRead(directory)) return undefined;
    const events = Deno.watchFs(directory, { recursive: false });
    return { events, name: basename(real) };
  } catch {
    // No such file, no notifications on this file system, or too many of them.
    return undefined;
  }
}

function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}

function writtenFile(
  { kind, flag, paths }: Deno.FsEvent,
  name: string,
): "wal" | "journal" | undefined {
  // Some were lost.
  if (flag === "rescan") return "wal";
  if (kind === "access") return undefined;
  for (const path of paths) {
    const file = basename(path);
    if (file === `${name}-wal`) return "wal";
    if (file === name || file === `${name}-journal`) return "journal";
  }
  return undefined;
}
