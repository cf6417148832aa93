/**
 * The place of a copy: an entry in the target with the progress of the copy.
 *
 * While entries are copied, it says so, and names the history of the source. So
 * an interrupted copy can be distinguished from a target that somebody else has
 * filled. While changes are followed, it has the cursor of the last one. It is
 * written in the transaction of the changes.
 *
 * The invariant: each write of the place checks its version. So if two copies
 * follow into one target, one of them fails.
 *
 * @module
 */
import { quote } from "../../base/messages.ts";
import type { AtomicCheck } from "../../contract/atomic.ts";
import type { Store } from "../../contract/store.ts";

/** The kind of these entries. They are never copied. */
export const PLACE_KIND = "zestor:copy";

/** The key of the place of a copy of all kinds. No list of kinds has this text. */
const ALL_KINDS = "*";

/** A cursor of the source, or a revision if there is no cursor for it. */
export type SourceCursor = string | number;

/** The progress of a copy. */
export interface Place {
  /**
   * `"copying"`: some entries may be missing. `"following"`: all changes up to
   * the cursor are there.
   */
  readonly state: "copying" | "following";
  /**
   * The moment of the entries, or the last change that is there. Absent if the
   * source has no change log.
   */
  readonly cursor?: SourceCursor;
}

/** The entry of a place. */
export class PlaceEntry {
  readonly #target: Store;
  readonly #key: string;
  #version = 0;

  /** Takes the target, and the copied kinds. */
  constructor(target: Store, kinds: readonly string[] | undefined) {
    this.#target = target;
    this.#key = kinds ? JSON.stringify(kinds.toSorted()) : ALL_KINDS;
  }

  /** The stored place; `undefined` if there is none. Throws if somebody else has written it. */
  async read(signal: AbortSignal): Promise<Place | undefined> {
    const entry = await this.#target.entry(PLACE_KIND, this.#key, { signal });
    this.#version = entry?.version ?? 0;
    if (entry === undefined) return undefined;
    if (isPlace(entry.value)) return entry.value;
    throw new Error(
      `Cannot copy: ${
        quote(PLACE_KIND, this.#key)
      } in the target is not the place of a copy; delete it, then copy again`,
    );
  }

  /** Writes the place alone. Rejects with `VersionConflictError` if another copy has written it. */
  async write(place: Place, signal: AbortSignal): Promise<void> {
    const { version } = await this.#target.set(PLACE_KIND, this.#key, place, {
      ifVersion: this.#version,
      signal,
    });
    this.#version = version;
  }

  /** Removes the place. If everything was copied, it also removes the places of other copies. */
  async remove(signal: AbortSignal): Promise<void> {
    await (this.#key === ALL_KINDS
      ? this.#target.deleteAll(PLACE_KIND, { signal })
      : this.#target.atomic().delete(PLACE_KIND, this.#key).commit({ signal }));
    this.#version = 0;
  }

  /** The condition of a write that also changes the place. */
  get check(): AtomicCheck {
    return { kind: PLACE_KIND, key: this.#key, version: this.#version };
  }

  /** The write of the place in an atomic operation. */
  setOf(place: Place): [kind: string, key: string, value: Place] {
    return [PLACE_KIND, this.#key, place];
  }

  /** The line of the place in an import. */
  lineOf(place: Place): string {
    return JSON.stringify({ kind: PLACE_KIND, key: this.#key, value: place });
  }

  /** Call it when a write of the place has been committed, with the new version. */
  wasWritten(version: number): void {
    this.#version = version;
  }
}

function isPlace(value: unknown): value is Place {
  if (typeof value !== "object" || value === null) return false;
  const { state, cursor } = value as Partial<Place>;
  return (state === "copying" || state === "following") &&
    ["string", "number", "undefined"].includes(typeof cursor);
}
