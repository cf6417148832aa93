/**
 * Reads stored values as items of a mirror.
 *
 * @module
 */
import { isPromise, type MaybePromise } from "../../base/promises.ts";
import type {
  ChangePage,
  StoredEntry,
  StoredValue,
} from "../../engine/entries.ts";
import { freezeDeep } from "../../values/freeze.ts";
import { type Box, boxed, eventOf, type ReadChange } from "../events.ts";
import { isWanted } from "../range_reads.ts";
import { readOrTell } from "../unreadable.ts";
import type { Item } from "./items.ts";
import type { MirrorSettings } from "./mirror_options.ts";
import { sortedOf } from "./sort_key.ts";

/**
 * The items that were read, by key. `undefined`: the mirror must not have the
 * entry.
 */
export type Staged<T> = Map<string, Item<T> | undefined>;

/**
 * A change with an unknown key, which was reported. The mirror has to list its
 * entries again.
 */
export class UnknownChange extends Error {
  override readonly message =
    "Cannot mirror a kind: a change in the log does not tell its key; see the findings of verify()";
}

/** Reads values according to the options of a mirror. */
export class ItemReader<T> {
  readonly #settings: MirrorSettings;
  readonly #values: ReadChange["values"];

  /** Takes the options, and the function that reads a value. */
  constructor(settings: MirrorSettings, values: ReadChange["values"]) {
    this.#settings = settings;
    this.#values = values;
  }

  /** Stages entries. */
  async stageEntries(
    entries: readonly StoredEntry[],
    staged: Staged<T>,
  ): Promise<void> {
    for (const entry of entries) {
      const { key, revision } = entry;
      const item = this.#itemOf(entry, revision);
      staged.set(key, isPromise(item) ? await item : item);
    }
  }

  /**
   * Stages changes, in their order. Throws `UnknownChange` at a change with an
   * unknown key.
   */
  async stageChanges(
    changes: ChangePage["changes"],
    staged: Staged<T>,
  ): Promise<void> {
    const { onUnreadable } = this.#settings;
    for (const change of changes) {
      if ("problem" in change) {
        await eventOf(change, { values: this.#values, onUnreadable });
        throw new UnknownChange();
      }
      const { type, key, revision } = change;
      const item = type === "delete"
        ? undefined
        : this.#itemOf(change, revision);
      staged.set(key, isPromise(item) ? await item : item);
    }
  }

  /**
   * The item of a stored value. It is `undefined` if the mirror must not have
   * it, or if it cannot be read, and the error was reported.
   */
  #itemOf(
    stored: StoredValue,
    revision: number,
  ): MaybePromise<Item<T> | undefined> {
    const { key } = stored;
    const { kind, onUnreadable } = this.#settings;
    const read = readOrTell<Box>(
      () => boxed(this.#values.readStored(kind, stored)),
      revision,
      onUnreadable,
    );
    return isPromise(read)
      ? read.then((box) => this.#choose(key, box))
      : this.#choose(key, read);
  }

  #choose(key: string, box: Box | undefined): Item<T> | undefined {
    if (!box) return undefined;
    const { kind, where, sortBy } = this.#settings;
    const value = freezeDeep(box.value as T);
    // The functions accept the values of the kind, and this is one.
    const given = value as never;
    if (where && !isWanted(where, kind, key, given)) return undefined;
    const sorted = sortBy && sortedOf(kind, key, sortBy(key, given));
    return { key, value, sorted };
  }
}
