/**
 * Tells by one look at a folder that no file in it was removed, renamed,
 * replaced or made.
 *
 * Each of these sets the folder's time of change (`ctime`), which no program can
 * set at will. The time may be in whole seconds, or two. So a folder that
 * changed a moment ago tells nothing: it may change again within the same time.
 *
 * @module
 */
import { dirname } from "../../base/paths.ts";
import { platform } from "../../base/platform.ts";
import { mayRead } from "./database_file.ts";

/** How long ago a folder's last change is at least, in ms, if its time is to tell. */
const QUIET_MS = 3_000;

/** After how long a folder that was not quiet is looked at again, in ms. */
const PAUSE_MS = 1_000;

/** What a folder was at one look. */
interface FolderState {
  readonly dev: number;
  readonly ino: number;
  readonly ctime: number;
  readonly mtime: number;
}

/** A folder in which a few files are to stay in place. */
export class QuietFolder {
  readonly #path: string | undefined;
  /** The state in which the files were found in place. */
  #known: FolderState | undefined;
  /** The state at the last look. */
  #seen: FolderState | undefined;
  /** When to look again, in the time of `performance.now`. */
  #dueAt = 0;

  /** Takes a file in the folder, by its absolute path. */
  constructor(file: string) {
    const path = dirname(file);
    this.#path = tellsChanges(file) && mayRead(path) ? path : undefined;
  }

  /** Whether nothing has changed in the folder since `noteInPlace`. */
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

  /** To be called if the files were found in place, after `isUnchanged`. */
  noteInPlace(): void {
    const seen = this.#seen;
    if (!seen) return;
    if (seen.ctime + QUIET_MS < Date.now()) this.#known = seen;
    else this.#dueAt = performance.now() + PAUSE_MS;
  }
}

/** Whether a folder's times are known to tell: they are no others than those of POSIX. */
function tellsChanges(file: string): boolean {
  if (platform.isWindows) return false;
  try {
    // A file system that does not keep the time has it before its own files.
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
