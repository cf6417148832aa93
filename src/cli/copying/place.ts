/**
 * The place of a copy: an entry in the target that tells how far it has come.
 *
 * While entries are copied, it says so, and of which history the source is. Then
 * a copy that was interrupted can be told from a target that somebody else has
 * filled. While changes are followed, it holds the cursor of the last one. It is
 * written in the transaction that writes the changes.
 *
 * The invariant: each write of the place checks its version. So of two copies
 * that follow into one target one fails.
 *
 * @module
 */
import { quote } from "../../base/messages.ts";
import type { AtomicCheck } from "../../contract/atomic.ts";
import type { Store } from "../../contract/store.ts";

/** The kind of the entries that are places. They are copied nowhere. */
export const PLACE_KIND = "zestor:copy";

/** The key of the place of a copy of all kinds. No list of kinds is this text. */
const ALL_KINDS = "*";

/** A cursor of the source, or a revision if there is no cursor for it. */
export type SourceCursor = string | number;

/** How far a copy has come. */
export interface Place {
  /** `"copying"`: some entries may be missing. `"following"`: all changes up to the cursor are there. */
  readonly state: "copying" | "following";
  /** When the entries were read, or up to which change they are there; absent if the source has no change log. */
  readonly cursor?: SourceCursor;
}

/** The entry of a place. */
export class PlaceEntry {
  readonly #target: Store;
  readonly #key: string;
  #version = 0;

  /** Takes the store that has it, and the kinds that are copied. */
  constructor(target: Store, kinds: readonly string[] | undefined) {
    this.#target = target;
    this.#key = kinds ? JSON.stringify(kinds.toSorted()) : ALL_KINDS;
  }

  /** What it says; `undefined` if there is none. Throws if somebody else has written it. */
  async read(signal: AbortSignal): Promise<Place | undefined> {
    const entry = await this.#target.entry(PLACE_KIND, this.#key, { signal });
    this.#version = entry?.version ?? 0;
    if (entry === undefined) return undefined;
    if (isPlace(entry.value)) return entry.value;
    throw new Error(
      `Cannot copy: ${
        quote(PLACE_KIND, this.#key)
      } in the target holds no place of a copy; delete it, then copy anew`,
    );
  }

  /** Writes it alone. Rejects with `VersionConflictError` if another copy has written it. */
  async write(place: Place, signal: AbortSignal): Promise<void> {
    const { version } = await this.#target.set(PLACE_KIND, this.#key, place, {
      ifVersion: this.#version,
      signal,
    });
    this.#version = version;
  }

  /** Removes it. If everything was copied, it removes those of other copies, too. */
  async remove(signal: AbortSignal): Promise<void> {
    await (this.#key === ALL_KINDS
      ? this.#target.deleteAll(PLACE_KIND, { signal })
      : this.#target.atomic().delete(PLACE_KIND, this.#key).commit({ signal }));
    this.#version = 0;
  }

  /** The condition of a write that changes it, too. */
  get check(): AtomicCheck {
    return { kind: PLACE_KIND, key: this.#key, version: this.#version };
  }

  /** What writes it, in an atomic operation. */
  setOf(place: Place): [kind: string, key: string, value: Place] {
    return [PLACE_KIND, this.#key, place];
  }

  /** What writes it, in an import. */
  lineOf(place: Place): string {
    return JSON.stringify({ kind: PLACE_KIND, key: this.#key, value: place });
  }

  /** To be called when a write with it has been committed, with its version then. */
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
