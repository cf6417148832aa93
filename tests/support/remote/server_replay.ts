/**
 * The entries as they were at a past revision, by undo: those that are there
 * now, with every key that changed since put back to what its first change
 * replaced.
 *
 * @module
 */
import type { ReplayEntry } from "../../../src/engine/change_log.ts";
import {
  countFitting,
  PAGE_BYTES,
  PAGE_ENTRIES,
} from "../../../src/engine/page.ts";
import { compareKeys } from "../../../src/keys/key_order.ts";
import {
  isInRange,
  type KeyRange,
  rangePast,
  rangeUpTo,
} from "../../../src/keys/key_range.ts";
import { assertLogReaches } from "../../../src/local/revisions.ts";
import type { MemoryStorage } from "../../../src/memory/memory_storage.ts";
import type { Ask, ReplayPage } from "./protocol.ts";

/** Reads the next page. It may be empty although more comes. */
export function readReplay(
  storage: MemoryStorage,
  { kind, rest, revision, limit }: Ask<"replay">,
): ReplayPage {
  assertLogReaches(storage, revision);
  const now = storage.readEntries(kind, rest, {
    limit: Math.min(limit, PAGE_ENTRIES),
  });
  const last = now.items.at(-1)?.key;
  const read = now.rest && last !== undefined ? rangeUpTo(rest, last) : rest;
  const changed = firstChanges(storage, kind, read, revision);
  const then: ReplayEntry[] = now.items.filter(({ key }) => !changed.has(key));
  for (const [key, first] of changed) {
    const previous = storage.getPrevious(first);
    if (previous) then.push({ key, ...previous });
  }
  then.sort((a, b) => compareKeys(a.key, b.key));
  const sizes = then.slice(0, limit).map(({ value }) => value.byteLength);
  const entries = then.slice(0, countFitting(sizes, PAGE_BYTES))
    .map(({ key, value, version }) => ({ key, value, version }));
  if (entries.length === then.length) return { entries, rest: now.rest };
  return { entries, rest: rangePast(rest, entries.at(-1)!.key) };
}

/** The first change of each key past a revision, by key. */
function firstChanges(
  storage: MemoryStorage,
  kind: string,
  keys: KeyRange,
  after: number,
): Map<string, number> {
  const first = new Map<string, number>();
  const until = storage.headRevision();
  for (
    const { key, revision } of storage.listChangedKeys(kind, keys, after, until)
  ) {
    if (isInRange(keys, key) && !first.has(key)) first.set(key, revision);
  }
  return first;
}
