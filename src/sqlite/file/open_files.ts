/**
 * The files that a connection has open: the database, its write-ahead log and
 * its shared memory. SQLite opens them once by their paths, and continues to
 * use them even if other files appear at these paths.
 *
 * The invariant: a write to a file that is no longer at its path is never
 * acknowledged. Another SQLite library in the process removes the `-wal` and
 * the `-shm` when it closes the database, and people remove them by hand.
 * SQLite then loses writes without an error
 * (https://sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use).
 *
 * @module
 */
import { hasCode, platform } from "../../base/platform.ts";
import { StoreError } from "../../contract/errors.ts";
import { mayRead, stat } from "./database_file.ts";
import type { DatabaseLocation } from "../driver/driver.ts";
import { QuietFolder } from "./quiet_folder.ts";

/** Reads check the files only after this time, in ms. */
const READ_AGE_MS = 1_000;

/** The result of a check of a path. */
type Found = "same" | "other" | "none";

/** An open file. */
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

  /** Takes the location of the database, whose path is absolute and real, right after it was opened. */
  constructor(location: DatabaseLocation) {
    this.#database = location.memory ? undefined : openFile(location.path);
    this.#folder = this.#database && new QuietFolder(this.#database.path);
  }

  /** The bytes of the write-ahead log; `undefined` if Deno does not know them. */
  get walSize(): number | undefined {
    return this.#wal && stat(this.#wal.path)?.size;
  }

  /** Notes the `-wal` and the `-shm`, if they exist. SQLite opens them with the first read. */
  noteLogs(): void {
    if (!this.#database) return;
    this.#wal ??= openFile(`${this.#database.path}-wal`);
    this.#shm ??= openFile(`${this.#database.path}-shm`);
  }

  /** Whether all open files are still at their paths. */
  areInPlace(): boolean {
    return this.problem() === undefined;
  }

  /** Throws a `StoreError` unless all open files are still at their paths. */
  assertInPlace(action: string): void {
    const problem = this.problem();
    this.#lastLook = problem ? -Infinity : performance.now();
    if (problem) {
      throw new StoreError("STORAGE", `Cannot ${action}: ${problem}`);
    }
  }

  /** The same, but it checks at most once a second. */
  look(action: string): void {
    if (performance.now() - this.#lastLook < READ_AGE_MS) return;
    this.assertInPlace(action);
    // Another process may have created a write-ahead log since.
    this.noteLogs();
  }

  /**
   * Whether the connection can be closed without harm to the changes of others.
   * The last connection to close copies its write-ahead log into the database,
   * and removes the file at the log's path. If its open log was removed, this
   * saves the changes that are only in the log. But if another log is at the
   * path, others have continued with that one, and their changes would be lost.
   */
  get areSafeToClose(): boolean {
    // SQLite itself does not touch a database that is no longer at its path.
    if (!this.#database || look(this.#database) !== "same") return true;
    let size = 0;
    const wal = this.#wal ? look(this.#wal, (found) => size = found) : "same";
    // Nobody has written to an empty log.
    if (wal !== "same") return size === 0;
    // With another shared memory, others write to the same log.
    return !this.#shm || look(this.#shm) !== "other";
  }

  /** The reason why the open files are not at their paths, if they are not. */
  problem(): string | undefined {
    if (!this.#database || this.#folder?.isUnchanged()) return undefined;
    const problem = this.#problemOf(this.#database);
    if (problem === undefined) this.#folder?.noteInPlace();
    return problem;
  }

  #problemOf(database: OpenFile): string | undefined {
    const { path } = database;
    if (look(database) !== "same") {
      return "the open file is no longer at its path, because it was moved, replaced or deleted; close all stores that have it open, and open it again";
    }
    const wal = this.#wal && look(this.#wal);
    const shm = this.#shm && look(this.#shm);
    if ((wal ?? "same") === "same" && (shm ?? "same") === "same") {
      return undefined;
    }
    return `the ${
      (wal ?? "same") === "same" ? "-shm" : "-wal"
    } of ${path} that is open was removed or replaced; another SQLite library in this process does so when it closes the file; close all stores of the file, and open it again`;
  }
}

/** The file at a path now, if Deno may read it. On a system without inodes the result is unknown. */
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
    // Deno may no longer read the file, so nothing is known.
    return "same";
  }
}
