/**
 * The file in which a watch keeps its place, so that the next one goes on from
 * there: a line of JSON that names what is watched, and the revision.
 *
 * The invariant: whenever the process ends, by whatever cause, the file holds
 * a whole cursor. A new one is written beside it, then put in its place.
 *
 * @module
 */
import { reasonOf } from "../../errors.ts";
import { UsageError } from "../errors.ts";
import { assertGranted } from "../permissions.ts";

/** What is watched: with another, the place means nothing. */
export interface Watched {
  readonly kind: string;
  readonly key?: string;
  readonly prefix?: string;
}

/** A watch's place, in its file. */
export class CursorFile {
  readonly #path: string;
  readonly #next: string;
  readonly #watched: Watched;

  /** Takes the file's path, and what is watched. */
  constructor(path: string, { kind, key, prefix }: Watched) {
    this.#path = path;
    this.#next = `${path}.next`;
    this.#watched = { kind, key, prefix };
  }

  /** Throws `UsageError` unless the file may be read and replaced. */
  async assertPermitted(): Promise<void> {
    for (const path of [this.#path, this.#next]) {
      await assertGranted("read", path);
      await assertGranted("write", path);
    }
  }

  /** The revision to go on from; `undefined` where there is no file. */
  read(): number | undefined {
    const text = this.#readText();
    if (text === undefined) return undefined;
    const { revision, ...watched } = this.#parse(text);
    const found = JSON.stringify(watched);
    const expected = JSON.stringify(this.#watched);
    if (found === expected) return revision;
    throw new UsageError(
      `Cannot use the cursor ${this.#path}: it is of a watch of ${found}, not of ${expected}; give each watch a file of its own`,
    );
  }

  #readText(): string | undefined {
    try {
      return Deno.readTextFileSync(this.#path);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return undefined;
      throw failed("read", this.#path, cause);
    }
  }

  #parse(text: string): Watched & { revision: number } {
    try {
      const cursor = JSON.parse(text);
      const { kind, key, prefix, revision } = cursor;
      if (Number.isSafeInteger(revision) && revision >= 0) {
        return { kind, key, prefix, revision };
      }
    } catch {
      // It is told below.
    }
    throw new UsageError(
      `Cannot use the cursor ${this.#path}: it is none; remove it to begin anew`,
    );
  }

  /** Writes the next place, which counts from `keep` on. */
  prepare(revision: number): void {
    const text = JSON.stringify({ ...this.#watched, revision }) + "\n";
    try {
      Deno.writeTextFileSync(this.#next, text);
    } catch (cause) {
      throw failed("write", this.#next, cause);
    }
  }

  /** Puts what was prepared in the file's place. */
  keep(): void {
    try {
      Deno.renameSync(this.#next, this.#path);
    } catch (cause) {
      throw failed("write", this.#path, cause);
    }
  }

  /** Removes what was prepared and is not to be kept. */
  discard(): void {
    try {
      Deno.removeSync(this.#next);
    } catch {
      // There is nothing.
    }
  }
}

function failed(action: string, path: string, cause: unknown): Error {
  return new Error(
    `Cannot ${action} the cursor ${path}: ${reasonOf(cause)}`,
    { cause },
  );
}
