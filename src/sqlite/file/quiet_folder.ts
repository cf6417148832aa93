/**
 * Finds out with one look at a folder that no file in it was removed, renamed,
 * replaced or created.
 *
 * Each of these sets the folder's time of change (`ctime`), which programs
 * cannot set. The time may have a precision of one or two seconds. So if a
 * folder changed just now, its time proves nothing, because the folder may
 * change again within the same second.
 *
 * @module
 */
import { dirname } from "../../base/paths.ts";
import { platform } from "../../base/platform.ts";
import { mayRead } from "./database_file.ts";

/** The least age of a folder's last change, in ms, from which its time is reliable. */
const QUIET_MS = 3_000;

/** The pause before another look at a folder that changed recently, in ms. */
const PAUSE_MS = 1_000;

/** The state of a folder at one look. */
interface FolderState {
  readonly dev: number;
  readonly ino: number;
  readonly ctime: number;
  readonly mtime: number;
}

/** A folder in which some files must stay in place. */
export class QuietFolder {
  readonly #path: string | undefined;
  /** The state in which the files were in place. */
  #known: FolderState | undefined;
  /** The state at the last look. */
  #seen: FolderState | undefined;
  /** When to look again, on the clock of `performance.now`. */
  #dueAt = 0;

  /** Takes a file in the folder, by its absolute path. */
  constructor(file: string) {
    const path = dirname(file);
    this.#path = tellsChanges(file) && mayRead(path) ? path : undefined;
  }

  /** Whether the folder has not changed since `noteInPlace`. */
  isUnchanged(): boolean {
    if (this.#path === undefined) return false;
    if (!this.#known && performance.now() < this.#dueAt) {
      this.#seen = undefined;
      return false;
    }
    this.#seen = stateOf(this.#path);
    if (this.#known && isSame(this.#known, this.#seen)) return true;
    this.#known = undefined;
    return false;
  }

  /** Call it after `isUnchanged`, if the files are in place. */
  noteInPlace(): void {
    const seen = this.#seen;
    if (!seen) return;
    if (seen.ctime + QUIET_MS < Date.now()) this.#known = seen;
    else this.#dueAt = performance.now() + PAUSE_MS;
  }
}

/** Whether a folder's times are reliable: they are if the system has only the times of POSIX. */
function tellsChanges(file: string): boolean {
  if (platform.isWindows) return false;
  try {
    // A file system without this time returns a time before its own files.
    const { ctime } = platform.statSync(dirname(file));
    const { birthtime } = platform.statSync(file);
    return ctime !== null && birthtime !== null &&
      ctime.getTime() + QUIET_MS > birthtime.getTime();
  } catch {
    return false;
  }
}

function stateOf(path: string): FolderState | undefined {
  try {
    const { dev, ino, ctime, mtime } = platform.statSync(path);
    if (ino === null || ctime === null || mtime === null) return undefined;
    return { dev, ino, ctime: ctime.getTime(), mtime: mtime.getTime() };
  } catch {
    return undefined;
  }
}

function isSame(a: FolderState, b: FolderState | undefined): boolean {
  return a.dev === b?.dev && a.ino === b.ino && a.ctime === b.ctime &&
    a.mtime === b.mtime;
}
