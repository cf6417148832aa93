/**
 * The keys that have changed since a revision, for the kinds that were asked
 * for: each key with its first change since. When the log has grown, the new
 * part is scanned, too.
 *
 * @module
 */
import { compareKeys, lowerBound, mergeByKey } from "../keys/key_order.ts";
import { ALL_KEYS, isInRange, type KeyRange } from "../keys/key_range.ts";
import type { ChangedKey, Changes } from "./storage.ts";

/** How many revisions one step scans. */
export const SCAN_WINDOW: number = 10_000;

/** The keys that changed since a revision. */
export class ChangedKeys {
  readonly #changes: Changes;
  readonly #since: number;
  readonly #kinds = new Map<string, ChangedKind>();

  /** Takes the log, and the revision. */
  constructor(changes: Changes, since: number) {
    this.#changes = changes;
    this.#since = since;
  }

  /**
   * Scans the next part of the log for a kind's keys. Returns whether it has
   * reached the revision `until`.
   */
  scan(kind: string, until: number): boolean {
    const known = this.#of(kind);
    const end = Math.min(until, known.scanned + SCAN_WINDOW);
    if (end > known.scanned) {
      const { scanned } = known;
      known.add(
        this.#changes.listChangedKeys(kind, ALL_KEYS, scanned, end),
        end,
      );
    }
    return known.scanned >= until;
  }

  #of(kind: string): ChangedKind {
    let known = this.#kinds.get(kind);
    if (!known) this.#kinds.set(kind, known = new ChangedKind(this.#since));
    return known;
  }

  /** The revision of a key's first change, in the scanned part. */
  firstChange(kind: string, key: string): number | undefined {
    return this.#of(kind).firstChange(key);
  }

  /** The keys of a range in the scanned part, in the order of reading. */
  within(kind: string, range: KeyRange, reverse = false): Iterable<ChangedKey> {
    return this.#of(kind).within(range, reverse);
  }
}

/** The changed keys of one kind. */
class ChangedKind {
  /** The revision up to which the keys are complete. */
  scanned: number;
  readonly #first = new Map<string, number>();
  /** In key order. */
  #sorted: ChangedKey[] = [];
  /** The new keys, which are not sorted yet. */
  #fresh: ChangedKey[] = [];

  constructor(since: number) {
    this.scanned = since;
  }

  add(changes: readonly ChangedKey[], until: number): void {
    for (const change of changes) {
      if (this.#first.has(change.key)) continue;
      this.#first.set(change.key, change.revision);
      this.#fresh.push(change);
    }
    this.scanned = until;
  }

  firstChange(key: string): number | undefined {
    return this.#first.get(key);
  }

  *within(range: KeyRange, reverse: boolean): Generator<ChangedKey, void> {
    const keys = this.#inOrder();
    const step = reverse ? -1 : 1;
    let at = startOf(keys, range, reverse);
    for (; at >= 0 && at < keys.length; at += step) {
      if (isInRange(range, keys[at].key)) yield keys[at];
      // It is at the bound itself, which may be outside the range.
      else if (!isBound(range, keys[at].key)) return;
    }
  }

  #inOrder(): readonly ChangedKey[] {
    if (this.#fresh.length > 0) {
      const fresh = this.#fresh.sort((a, b) => compareKeys(a.key, b.key));
      this.#sorted = [...mergeByKey(this.#sorted, fresh)];
      this.#fresh = [];
    }
    return this.#sorted;
  }
}

function startOf(
  keys: readonly ChangedKey[],
  { lower, upper }: KeyRange,
  reverse: boolean,
): number {
  if (!reverse) return lowerBound(keys, lower.key);
  if (!upper) return keys.length - 1;
  const at = lowerBound(keys, upper.key);
  return keys[at]?.key === upper.key ? at : at - 1;
}

function isBound({ lower, upper }: KeyRange, key: string): boolean {
  return key === lower.key || key === upper?.key;
}
