/**
 * A file that one process has at a time. The system drops the lock when the
 * process ends, however that happens.
 *
 * The invariant: who holds the lock has the file open that is at the path. So
 * a file that is removed or replaced is never taken for the lock.
 *
 * @module
 */
import { writeWhole } from "./durable_file.ts";

/** How often a file that changes meanwhile is looked at again. */
const MOST_TRIES = 100;

/** A lock, or who holds it. */
export class LockFile {
  /** Who has the lock; `undefined` if it is this process. */
  readonly holder: string | undefined;
  readonly #path: string;
  readonly #file: Deno.FsFile | undefined;

  private constructor(path: string, held: Deno.FsFile | { holder: string }) {
    this.#path = path;
    if (held instanceof Deno.FsFile) this.#file = held;
    else this.holder = held.holder;
  }

  /** Takes the lock, or finds who has it. */
  static acquire(path: string): LockFile {
    for (let count = 0; count < MOST_TRIES; count++) {
      const held = create(path) ?? holderOf(path);
      if (held) return new LockFile(path, held);
    }
    throw new Error(`${path} keeps changing; see what else writes it`);
  }

  /** Gives the lock back, and removes the file. */
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

/** Makes the file and locks it; `undefined` if there is one already. */
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
  // Another process took it for one that was left.
  file.close();
  return undefined;
}

/** Who holds the lock of a file that is there. A file that nobody holds is removed. */
function holderOf(path: string): { holder: string } | undefined {
  try {
    const found = Deno.lstatSync(path);
    if (!found.isFile) {
      Deno.removeSync(path);
      return undefined;
    }
    using file = Deno.openSync(path);
    if (!tryLock(file)) return { holder: nameIn(file) };
    // It was left by a process that was killed.
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
    // It has just been made, or the system lets nobody read it.
  }
  return "another watch";
}

/** Locks a file, unless another process has. If the file system has no locks, there is none to respect. */
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

/** Whether an open file is the one that is at a path. */
function isAt(path: string, file: Deno.FsFile): boolean {
  try {
    const [there, here] = [Deno.lstatSync(path), file.statSync()];
    return there.ino === here.ino && there.dev === here.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
