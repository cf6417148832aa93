/**
 * A snapshot of a database in memory, which cannot have a second connection.
 * All entries are listed at once, and kept.
 *
 * @module
 */
import {
  ALL_KEYS,
  type KeyBound,
  type KeyRange,
  rangePast,
} from "../../keys/key_range.ts";
import { lowerBound } from "../../keys/key_order.ts";
import { countFitting, PAGE_BYTES, PAGE_ENTRIES } from "../../engine/page.ts";
import type { StoredEntry } from "../../engine/entries.ts";
import type { Entries, Snapshot, Transactions } from "../../local/storage.ts";

/** Lists every entry. */
export function listedSnapshot(
  storage: Entries & Pick<Transactions, "snapshot">,
): Snapshot {
  const byKind = storage.snapshot(() =>
    new Map(storage.listKinds().map((kind) => [kind, listAll(storage, kind)]))
  );
  const kinds = [...byKind.keys()];
  return {
    listKinds: () => kinds,
    readEntries(kind, range) {
      const entries = byKind.get(kind) ?? [];
      const start = placeOf(entries, range.lower, !range.lower.inclusive);
      const end = range.upper
        ? placeOf(entries, range.upper, range.upper.inclusive)
        : entries.length;
      const page = entries.slice(start, Math.min(end, start + PAGE_ENTRIES));
      const sizes = page.values().map(({ value }) => value.byteLength);
      const items = page.slice(0, countFitting(sizes, PAGE_BYTES));
      const isLast = start + items.length >= end;
      return {
        items,
        rest: isLast ? undefined : rangePast(range, items.at(-1)!.key),
      };
    },
    close: () => byKind.clear(),
  };
}

/** The index of the first entry at or after a bound, or only after it. */
function placeOf(
  entries: readonly StoredEntry[],
  { key }: KeyBound,
  isPast: boolean,
): number {
  const at = lowerBound(entries, key);
  return isPast && entries[at]?.key === key ? at + 1 : at;
}

function listAll(storage: Entries, kind: string): StoredEntry[] {
  const entries: StoredEntry[] = [];
  let rest: KeyRange | undefined = ALL_KEYS;
  while (rest) {
    const page = storage.readEntries(kind, rest);
    entries.push(...page.items);
    rest = page.rest;
  }
  return entries;
}
