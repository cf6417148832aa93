/**
 * Waits for a store that does not exist yet.
 *
 * While there is no file, the system reports each change in the directory, and
 * nothing else is checked. If the directory is missing, too, the nearest
 * existing directory above it is watched. A file without a store is being
 * created, or waits for it. It is checked now and then, because the system does
 * not report when others can read committed data. A database is also checked
 * now and then.
 *
 * The invariant: the watch on the directory begins before the file is looked
 * for. So a file that appears in between is not missed.
 *
 * @module
 */
import { dirname, resolve } from "../../base/paths.ts";
import { unlessAborted } from "../../base/promises.ts";
import { followLinks } from "../links.ts";
import { escapeText } from "../../base/escape.ts";
import { writeError } from "../output/output.ts";
import { withoutPasswords } from "../output/passwords.ts";
import { assertGranted } from "../permissions.ts";
import { addressOf } from "./address.ts";
import { pathToRead } from "./file_store.ts";
import { whatIsMissing } from "./missing.ts";
import { openStoreOf } from "./open.ts";
import type { CliStore, StoreSettings } from "./settings.ts";

/** How long to wait before a file without a store is checked again, in ms. */
const LOOK_AGAIN_MS = 200;

/** How often to look for a file or a schema if the system reports no changes, in ms. */
const POLL_MS = 1_000;

/** A store, and whether it existed at the first look. */
export interface AwaitedStore {
  readonly store: CliStore;
  readonly wasThere: boolean;
}

/**
 * Opens the store to read, as soon as it exists. Throws `UsageError` if its
 * directory may not be read.
 */
export async function openStoreWhenThere(
  settings: StoreSettings,
  signal: AbortSignal,
): Promise<AwaitedStore> {
  const address = await addressOf(settings);
  const path = address.in === "file" ? pathToRead(address.path) : undefined;
  if (path !== undefined) await assertGranted("read", dirname(path));
  const pauseMs = path === undefined ? POLL_MS : LOOK_AGAIN_MS;
  for (let wasThere = true;; wasThere = false) {
    signal.throwIfAborted();
    using changes = path === undefined ? undefined : await watchAbove(path);
    try {
      const store = await openStoreOf(settings, { access: "read", signal });
      return { store, wasThere };
    } catch (error) {
      const missing = whatIsMissing(error);
      if (missing === undefined) throw error;
      if (wasThere) tell(address.in === "file" ? path! : address.url);
      await (missing === "file"
        ? changes!.next(signal)
        : pause(pauseMs, signal));
    }
  }
}

/** A person who has mistyped the place sees it here. */
function tell(place: string): void {
  writeError(
    `zestor: There is no store at ${
      escapeText(withoutPasswords(place))
    } yet: waiting for it`,
  );
}

/** Changes in the directories in which a path may appear. */
interface Changes extends Disposable {
  /** Waits for the next one. */
  next(signal: AbortSignal): Promise<void>;
}

async function watchAbove(path: string): Promise<Changes> {
  for (;;) {
    const directories = await directoriesAbove(path);
    const changes = watchDirectories(directories);
    // A directory may have been created in between.
    const now = await directoriesAbove(path);
    if (now.join("\0") === directories.join("\0")) return changes;
    changes[Symbol.dispose]();
  }
}

/** The nearest existing directories: above the path, and above the target of a link at the path. */
async function directoriesAbove(path: string): Promise<string[]> {
  const targets = [path, followLinks(path) ?? path];
  const found = await Promise.all(targets.map(directoryAbove));
  return [...new Set(found)];
}

async function directoryAbove(path: string): Promise<string> {
  let directory = dirname(resolve(path));
  for (;;) {
    await assertGranted("read", directory);
    if (isDirectory(directory) || dirname(directory) === directory) {
      return directory;
    }
    directory = dirname(directory);
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function watchDirectories(directories: string[]): Changes {
  let watcher: Deno.FsWatcher;
  try {
    watcher = Deno.watchFs(directories, { recursive: false });
  } catch {
    // A directory has gone, or the system has no free watch.
    return {
      next: (signal) => pause(POLL_MS, signal),
      [Symbol.dispose]() {},
    };
  }
  const events = watcher[Symbol.asyncIterator]();
  return {
    async next(signal) {
      for (;;) {
        const { done, value } = await unlessAborted(events.next(), signal);
        // Reading a file changes nothing.
        if (done || value.kind !== "access") return;
      }
    },
    [Symbol.dispose]: () => watcher.close(),
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  try {
    await unlessAborted(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}
