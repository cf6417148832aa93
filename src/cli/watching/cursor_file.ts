/**
 * The file in which a watch saves its place, so that the next watch continues
 * there. It is a line of JSON with the watched kinds and the cursor of the last
 * change. Files of earlier versions have the revision instead of the cursor.
 *
 * The invariants:
 * - The file always contains a whole cursor, whenever the process or the
 *   machine stops.
 * - Its place is never ahead of the printed events, or of the commands that
 *   have succeeded. After a loss of power it may be behind; then events come
 *   again.
 *
 * Each place costs one fsync. The new cursor is written beside the file,
 * synced, and renamed over it. Without the sync, a file system may write the
 * new name before the text, and the file is empty after a loss of power
 * (https://man7.org/linux/man-pages/man2/fsync.2.html). The directory is not
 * synced each time: if the rename is lost, the file has an earlier place. It is
 * synced when the file is new: without a file, the next watch would begin at
 * present, and miss earlier events.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { isOfNewerForm, readCursor } from "../../engine/cursor.ts";
import { describeFile } from "../../sqlite/file/database_file.ts";
import { UsageError } from "../errors.ts";
import { followLinks } from "../links.ts";
import { assertGranted } from "../permissions.ts";
import { syncDirectoryOf, syncFile, writeWhole } from "./durable_file.ts";
import { LockFile } from "./lock_file.ts";

/** A place in the change log: a cursor, or a revision. */
export type Place = string | number;

/** The watched kinds and keys. The place has no meaning for others. */
export interface Watched {
  /** The kinds, each once. Absent: all kinds. */
  readonly kinds?: readonly string[];
  readonly key?: string;
  readonly prefix?: string;
}

/** The form in the file. One kind is `kind`. */
interface WatchedRecord extends Omit<Watched, "kinds"> {
  readonly kind?: string;
  readonly kinds?: readonly string[];
  readonly all?: true;
}

/** A watch's place, in its file. */
export class CursorFile implements Disposable {
  readonly #path: string;
  readonly #watched: WatchedRecord;
  #lock: LockFile | undefined;
  #foundTarget: string | undefined;
  #isNew = true;
  #isPrepared = false;

  /** Takes the file's path, and the watched kinds and keys. */
  constructor(path: string, watched: Watched) {
    this.#path = path;
    this.#watched = recordOf(watched);
  }

  /** The file itself. If the path is a link, the file that the link leads to. */
  get #target(): string {
    return this.#foundTarget ??= targetOf(this.#path);
  }

  get #next(): string {
    return `${this.#target}.next`;
  }

  get #lockPath(): string {
    return `${this.#target}.lock`;
  }

  /** Throws `UsageError` unless the file may be read, replaced and locked. */
  async assertPermitted(): Promise<void> {
    // The links on the way are read before.
    await assertGranted("read", this.#path);
    for (const path of [this.#target, this.#next, this.#lockPath]) {
      await assertGranted("read", path);
      await assertGranted("write", path);
    }
  }

  /**
   * Keeps other watches from the file, until `discard`. Throws `UsageError` if
   * another watch has it.
   */
  lock(): void {
    const path = this.#lockPath;
    try {
      this.#lock = LockFile.acquire(path);
    } catch (cause) {
      throw failed("lock", this.#path, cause);
    }
    if (this.#lock.holder === undefined) return;
    throw new UsageError(
      `Cannot use the cursor ${this.#path}: ${this.#lock.holder} uses it; give each watch a file of its own, or end the other watch`,
    );
  }

  /** The place to continue; `undefined` if there is no file. */
  read(): Place | undefined {
    const text = this.#readText();
    this.#isNew = text === undefined;
    if (text === undefined) return undefined;
    const { place, watched } = this.#parse(text);
    const found = JSON.stringify(watched);
    const expected = JSON.stringify(this.#watched);
    if (found === expected) return place;
    throw new UsageError(
      `Cannot use the cursor ${this.#path}: it belongs to a watch of ${found}, not of ${expected}; give each watch a file of its own`,
    );
  }

  #readText(): string | undefined {
    let found: Deno.FileInfo;
    try {
      found = Deno.statSync(this.#target);
      if (found.isFile) return Deno.readTextFileSync(this.#target);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return undefined;
      throw failed("read", this.#path, cause);
    }
    throw new UsageError(
      `Cannot use the cursor ${this.#path}: it is ${
        describeFile(found)
      }; give the path of a file`,
    );
  }

  #parse(text: string): { place: Place; watched: WatchedRecord } {
    try {
      const { kind, kinds, all, key, prefix, ...rest } = JSON.parse(text);
      const watched = orderedRecord({ kind, kinds, all, key, prefix });
      const { revision, cursor } = rest;
      if (typeof cursor === "string" && isOfNewerForm(cursor)) {
        throw new UsageError(
          `Cannot use the cursor ${this.#path}: a newer version of zestor wrote it; use that version, or remove the file and begin anew with --initial`,
        );
      }
      if (cursor !== undefined) {
        readCursor("go on", "cursor", cursor);
        return { place: cursor, watched };
      }
      if (Number.isSafeInteger(revision) && revision >= 0) {
        return { place: revision, watched };
      }
    } catch (error) {
      if (error instanceof UsageError) throw error;
      // The error is reported below.
    }
    const what = text === ""
      ? "the file is empty"
      : "the file contains no cursor, or only a part of one";
    throw new UsageError(
      `Cannot use the cursor ${this.#path}: ${what}; restore it, or remove it and begin anew with --initial, or with --after REVISION`,
    );
  }

  /** Writes the next place, which takes effect with `keep`. */
  prepare(place: Place): void {
    const named = typeof place === "number"
      ? { revision: place }
      : { cursor: place };
    const text = JSON.stringify({ ...this.#watched, ...named }) + "\n";
    try {
      using file = this.#createNext();
      this.#isPrepared = true;
      writeWhole(file, text);
      syncFile(file);
    } catch (cause) {
      throw failed("write", this.#next, cause);
    }
  }

  /** A new file, never an existing one, nor the target of a link. */
  #createNext(): Deno.FsFile {
    const mode = modeOf(this.#target);
    const create = () =>
      Deno.openSync(this.#next, { write: true, createNew: true, mode });
    try {
      return create();
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    // A killed watch left it.
    Deno.removeSync(this.#next);
    return create();
  }

  /** Moves the prepared file into place. */
  keep(): void {
    try {
      Deno.renameSync(this.#next, this.#target);
      this.#isPrepared = false;
      if (this.#isNew) syncDirectoryOf(this.#target);
      this.#isNew = false;
    } catch (cause) {
      throw failed("write", this.#path, cause);
    }
  }

  /** Removes a prepared file that is not used, and lets other watches use the cursor file. */
  discard(): void {
    if (this.#isPrepared) {
      try {
        Deno.removeSync(this.#next);
      } catch {
        // Somebody else has removed it.
      }
    }
    this.#lock?.release();
  }

  [Symbol.dispose](): void {
    this.discard();
  }
}

function recordOf({ kinds, key, prefix }: Watched): WatchedRecord {
  if (kinds === undefined) return orderedRecord({ all: true, key, prefix });
  return kinds.length === 1
    ? orderedRecord({ kind: kinds[0], key, prefix })
    : orderedRecord({ kinds: kinds.toSorted(), key, prefix });
}

/** The same properties in a fixed order, so that two records can be compared as text. */
function orderedRecord(
  { kind, kinds, all, key, prefix }: WatchedRecord,
): WatchedRecord {
  return { kind, kinds, all, key, prefix };
}

/** The path that a path leads to, even if the file does not exist. */
function targetOf(path: string): string {
  const target = reading(path, () => followLinks(path));
  if (target !== undefined) return target;
  throw new UsageError(
    `Cannot use the cursor ${path}: it is a link that leads to itself; give the path of a file`,
  );
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw failed("read", path, cause);
  }
}

/** The permissions of a file, for the file that replaces it. */
function modeOf(path: string): number | undefined {
  try {
    return (Deno.statSync(path).mode ?? 0o666) & 0o777;
  } catch {
    return undefined;
  }
}

function failed(action: string, path: string, cause: unknown): Error {
  return new Error(
    `Cannot ${action} the cursor ${path}: ${reasonOf(cause)}`,
    { cause },
  );
}
