/**
 * A snapshot of a database that has no second connection, since it is in
 * memory: what it holds is listed at once, and kept.
 *
 * @module
 */
import { lowerBound } from "../key_order.ts";
import { ALL_KEYS } from "../key_range.ts";
import type { Entries, Snapshot } from "../storage/storage.ts";

/** Lists every entry. */
export function listedSnapshot(storage: Entries): Snapshot {
  const kinds = storage.listKinds();
  const byKind = new Map(
    kinds.map((kind) => [kind, storage.listEntries(kind, ALL_KEYS)]),
  );
  return {
    listKinds: () => kinds,
    listEntries(kind, after, limit) {
      const entries = byKind.get(kind) ?? [];
      const at = lowerBound(entries, after);
      const start = entries[at]?.key === after ? at + 1 : at;
      return entries.slice(start, start + limit);
    },
    close: () => byKind.clear(),
  };
}
