/**
 * The files that a connection has open: the database, its write-ahead log and
 * its shared memory. SQLite finds them by their paths once, and goes on with
 * what it opened, whatever comes to be at the paths.
 *
 * The invariant: what is written to a file that is no longer at its path is
 * never acknowledged. Another SQLite library in the process removes the `-wal`
 * and the `-shm` when it closes the database, and people remove them by hand:
 * SQLite then loses what is written, without an error
 * (https://sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use).
 *
 * @module
 */
import { hasCode, platform } from "../../base/platform.ts";
import { StoreError } from "../../contract/errors.ts";
import { mayRead, stat } from "./database_file.ts";
import type { DatabaseLocation } from "../driver/driver.ts";
import { QuietFolder } from "./quiet_folder.ts";

/** How long reads may go on without a look at the files, in ms. */
const READ_AGE_MS = 1_000;

/** What is at a path. */
type Found = "same" | "other" | "none";

/** A file that is open. */
interface OpenFile {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
}

/** The open files of a database. */
export class OpenFiles {
  readonly #database: OpenFile | undefined;
  #wal: OpenFile | undefined;
  #shm: OpenFile | undefined;
  readonly #folder: QuietFolder | undefined;
  #lastLook = -Infinity;

  /** Takes where the database is, whose path is absolute and real, right after it was opened. */
  constructor(location: DatabaseLocation) {
    this.#database = location.memory ? undefined : openFile(location.path);
    this.#folder = this.#database && new QuietFolder(this.#database.path);
  }

  /** The bytes of the write-ahead log; `undefined` if Deno cannot tell. */
  get walSize(): number | undefined {
    return this.#wal && stat(this.#wal.path)?.size;
  }

  /** Notes the `-wal` and the `-shm`, if there are any. SQLite opens them with the first read. */
  noteLogs(): void {
    if (!this.#database) return;
    this.#wal ??= openFile(`${this.#database.path}-wal`);
    this.#shm ??= openFile(`${this.#database.path}-shm`);
  }

  /** Whether each open file is still the one at its path. */
  areInPlace(): boolean {
    return this.problem() === undefined;
  }

  /** Throws a `StoreError` unless each open file is still the one at its path. */
  assertInPlace(action: string): void {
    const problem = this.problem();
    this.#lastLook = problem ? -Infinity : performance.now();
    if (problem) {
      throw new StoreError("STORAGE", `Cannot ${action}: ${problem}`);
    }
  }

  /** The same, unless it was found so in the last second. */
  look(action: string): void {
    if (performance.now() - this.#lastLook < READ_AGE_MS) return;
    this.assertInPlace(action);
    // Another process may have begun a write-ahead log since.
    this.noteLogs();
  }

  /**
   * Whether the connection can be closed without harm to what others wrote. The
   * last connection to close copies its write-ahead log into the database, and
   * removes what is at the log's path. If the log that it has open was removed,
   * that saves what is only there. But if another one is at the path by now,
   * somebody has gone on with that, and their changes would be lost.
   */
  get areSafeToClose(): boolean {
    // SQLite itself leaves a database alone that is not at its path.
    if (!this.#database || look(this.#database) !== "same") return true;
    let size = 0;
    const wal = this.#wal ? look(this.#wal, (found) => size = found) : "same";
    // In a log without a byte nobody has written.
    if (wal !== "same") return size === 0;
    // With another shared memory others write to the same log.
    return !this.#shm || look(this.#shm) !== "other";
  }

  /** Why the open files are not those at their paths, if they are not. */
  problem(): string | undefined {
    if (!this.#database || this.#folder?.isUnchanged()) return undefined;
    const problem = this.#problemOf(this.#database);
    if (problem === undefined) this.#folder?.noteInPlace();
    return problem;
  }

  #problemOf(database: OpenFile): string | undefined {
    const { path } = database;
    if (look(database) !== "same") {
      return "the file that is open is no longer the one at its path; it was moved, replaced or deleted; close every store that has it open, and open it again";
    }
    const wal = this.#wal && look(this.#wal);
    const shm = this.#shm && look(this.#shm);
    if ((wal ?? "same") === "same" && (shm ?? "same") === "same") {
      return undefined;
    }
    return `the ${
      (wal ?? "same") === "same" ? "-shm" : "-wal"
    } of ${path} that is open is no longer the one beside the file: somebody removed or replaced it, as another SQLite library in this process does when it closes the file; close every store of the file, and open it again`;
  }
}

/** What is at a path now, if Deno may see it. Of a system without inodes nothing is known. */
function openFile(path: string): OpenFile | undefined {
  try {
    if (!mayRead(path)) return undefined;
    const { dev, ino } = platform.statSync(path);
    return ino === null ? undefined : { path, dev, ino };
  } catch {
    return undefined;
  }
}

function look(file: OpenFile, tellSize?: (size: number) => void): Found {
  try {
    const { dev, ino, size } = platform.statSync(file.path);
    tellSize?.(size);
    return dev === file.dev && ino === file.ino ? "same" : "other";
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "none";
    // Nothing is known of a file that Deno may not look at any more.
    return "same";
  }
}
