/**
 * The differences between the state that a consumer has seen of a mirror and
 * its present state.
 *
 * The invariant: it holds one item for each entry that differs, however often
 * the entry has changed.
 *
 * @module
 */
import type { MirrorPatch } from "../../contract/mirror.ts";
import { compareSorted } from "./sort_key.ts";
import type { Item, Items } from "./items.ts";

/** The differences that one consumer has yet to see. */
export class Differences<T> {
  readonly #items: Items<T>;
  /**
   * For each entry that has changed since: its item as the consumer has seen
   * it.
   */
  readonly #seen = new Map<string, Item<T> | undefined>();
  /** Whether the consumer has seen nothing yet. */
  #isNew: boolean;

  /**
   * Takes the mirror's items, and whether the consumer has yet to see the
   * present ones.
   */
  constructor(items: Items<T>, isNew: boolean) {
    this.#items = items;
    this.#isNew = isNew;
  }

  /** Whether there is a difference. */
  get isAny(): boolean {
    return this.#isNew || this.#seen.size > 0;
  }

  /** Notes that an entry has changed, with its items before and after. */
  note(
    key: string,
    before: Item<T> | undefined,
    now: Item<T> | undefined,
  ): void {
    if (this.#isNew) return;
    const seen = this.#seen.has(key) ? this.#seen.get(key) : before;
    if (seen || now) this.#seen.set(key, seen);
    // The entry came and went before the consumer saw it.
    else this.#seen.delete(key);
  }

  /** Tells everything. */
  take(): MirrorPatch<T>[] {
    if (this.#isNew) {
      this.#isNew = false;
      return this.#allEntered();
    }
    const left: MirrorPatch<T>[] = [];
    const there: Item<T>[] = [];
    for (const [key, seen] of this.#seen) {
      const now = this.#items.get(key);
      if (now) there.push(now);
      else if (seen) left.push({ type: "left", key, value: seen.value });
    }
    // Each of these follows an item whose place is known.
    there.sort((a, b) => this.#items.compare(a, b));
    const isAlone = this.#seen.size === 1;
    const others = there.map((now) =>
      this.#patchOf(now, this.#seen.get(now.key), isAlone)
    );
    this.#seen.clear();
    return left.concat(others);
  }

  #allEntered(): MirrorPatch<T>[] {
    const patches: MirrorPatch<T>[] = [];
    let before: Item<T> | undefined;
    for (const item of this.#items.inOrder()) {
      patches.push(entered(item, before));
      before = item;
    }
    return patches;
  }

  #patchOf(
    now: Item<T>,
    seen: Item<T> | undefined,
    isAlone: boolean,
  ): MirrorPatch<T> {
    const { key, value } = now;
    if (!seen) return entered(now, this.#items.itemBefore(now));
    const previous = seen.value;
    if (compareSorted(seen.sorted, now.sorted) === 0) {
      return { type: "changed", key, value, previous };
    }
    const before = this.#items.itemBefore(now);
    // If no other entry has changed, the old place is known.
    if (isAlone && this.#items.itemBefore(seen) === before) {
      return { type: "changed", key, value, previous };
    }
    return { type: "moved", key, value, previous, ...following(before) };
  }
}

function entered<T>(
  { key, value }: Item<T>,
  before: Item<T> | undefined,
): MirrorPatch<T> {
  return { type: "entered", key, value, ...following(before) };
}

function following(
  before: { readonly key: string } | undefined,
): { follows?: string } {
  return before ? { follows: before.key } : {};
}
