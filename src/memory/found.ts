/**
 * The entries and changes of a store in memory, for a verification.
 *
 * @module
 */
import { compareKeys } from "../keys/key_order.ts";
import type { FoundChange, FoundEntry } from "../local/storage.ts";
import { type Kept, toEntry } from "./kept.ts";
import type { MemoryLog } from "./memory_log.ts";

/** The entries of a kind, in key order. */
interface Entries {
  entries(): Iterable<[string, Kept]>;
}

/** Every entry, by kind and key, including expired entries. */
export function* findEntries(
  kinds: ReadonlyMap<string, Entries>,
): Generator<FoundEntry> {
  for (const kind of [...kinds.keys()].sort(compareKeys)) {
    for (const [key, kept] of kinds.get(kind)!.entries()) {
      yield { kind, ...toEntry(key, kept) };
    }
  }
}

/** Every change, by revision. */
export function* findChanges(log: MemoryLog): Generator<FoundChange> {
  for (const [revision, change] of log.between(0, log.head)) {
    const { kind, key, type, entry, previous } = change;
    const { version } = (entry ?? previous)!;
    yield {
      revision,
      kind,
      key,
      type,
      version,
      value: entry?.value,
      previous: previous?.value,
      previousRevision: previous?.revision,
      isEarlier: false,
    };
  }
}
