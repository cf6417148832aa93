/**
 * A file that only one process can hold. The system drops the lock when the
 * process ends, in any way.
 *
 * The invariant: the holder of the lock has the file at the path open. So a
 * removed or replaced file never counts as the lock.
 *
 * @module
 */
import { writeWhole } from "./durable_file.ts";

/** How often to look again at a file that changes meanwhile. */
const MOST_TRIES = 100;

/** A lock, or its holder. */
export class LockFile {
  /** The holder of the lock; `undefined` if it is this process. */
  readonly holder: string | undefined;
  readonly #path: string;
  readonly #file: Deno.FsFile | undefined;

  private constructor(path: string, held: Deno.FsFile | { holder: string }) {
    this.#path = path;
    if (held instanceof Deno.FsFile) this.#file = held;
    else this.holder = held.holder;
  }

  /** Takes the lock, or finds its holder. */
  static acquire(path: string): LockFile {
    for (let count = 0; count < MOST_TRIES; count++) {
      const held = create(path) ?? holderOf(path);
      if (held) return new LockFile(path, held);
    }
    throw new Error(`${path} keeps changing; find out what else writes it`);
  }

  /** Releases the lock, and removes the file. */
  release(): void {
    if (!this.#file) return;
    try {
      Deno.removeSync(this.#path);
    } catch {
      // Somebody else has removed it.
    }
    this.#file.close();
  }
}

/** Creates the file and locks it; `undefined` if it exists already. */
function create(path: string): Deno.FsFile | undefined {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true, write: true, createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return undefined;
    throw error;
  }
  if (tryLock(file) && isAt(path, file)) {
    writeWhole(file, `${JSON.stringify({ pid: Deno.pid })}\n`);
    return file;
  }
  // Another process thought that the file had been left behind.
  file.close();
  return undefined;
}

/** The holder of an existing lock file. A file without a holder is removed. */
function holderOf(path: string): { holder: string } | undefined {
  try {
    const found = Deno.lstatSync(path);
    if (!found.isFile) {
      Deno.removeSync(path);
      return undefined;
    }
    using file = Deno.openSync(path);
    if (!tryLock(file)) return { holder: nameIn(file) };
    // A killed process left it.
    if (isAt(path, file)) Deno.removeSync(path);
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function nameIn(file: Deno.FsFile): string {
  try {
    const bytes = new Uint8Array(100);
    const length = file.readSync(bytes) ?? 0;
    const { pid } = JSON.parse(
      new TextDecoder().decode(bytes.subarray(0, length)),
    );
    if (Number.isSafeInteger(pid)) return `the watch of process ${pid}`;
  } catch {
    // It has just been created, or the system lets nobody read it.
  }
  return "another watch";
}

/**
 * Locks a file, unless another process has locked it. If the file system has no
 * locks, nobody can hold one.
 */
function tryLock(file: Deno.FsFile): boolean {
  try {
    return file.tryLockSync(true);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (["ENOSYS", "ENOTSUP", "EOPNOTSUPP", "ENOLCK"].includes(String(code))) {
      return true;
    }
    throw error;
  }
}

/** Whether an open file is the one at a path. */
function isAt(path: string, file: Deno.FsFile): boolean {
  try {
    const [there, here] = [Deno.lstatSync(path), file.statSync()];
    return there.ino === here.ino && there.dev === here.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
