/**
 * What a storage reads, and what its log tells, beside the plain model of it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { StoredChange, StoredEntry } from "../../src/engine/entries.ts";
import type { Page } from "../../src/engine/page.ts";
import { ALL_KEYS, type KeyRange } from "../../src/keys/key_range.ts";
import type { Storage } from "../../src/local/storage.ts";
import type { Random } from "./random.ts";
import {
  entriesAt,
  KEYS,
  KINDS,
  randomRange,
  type State,
  type StorageModel,
} from "./storage_model.ts";

/** Whose clock gives changes their time: the storage's own, which a test can stop, or the system's. */
export type LogClock = "own" | "system";

/** Compares each read with the model's entries at a time. */
export function checkReads(
  storage: Storage,
  state: State,
  time: number,
  random: Random,
  clock: LogClock = "own",
): void {
  const timed = <T extends object>(entry: T | undefined) =>
    clock === "own" ? entry : entry && { ...entry, updatedAt: undefined };
  for (const kind of KINDS) {
    const there = entriesAt(state, time, kind);
    for (const key of KEYS) {
      const entry = there.find((entry) => entry.key === key);
      assertEquals(storage.getValue(kind, key), entry?.value);
      assertEquals(timed(storage.getEntry(kind, key)), timed(entry));
      const found = entry &&
        { version: entry.version, revision: entry.revision };
      assertEquals(storage.getState(kind, key), found);
    }
    const keys = KEYS.filter(() => random.chance(0.5));
    assertEquals(
      storage.readSome(kind, keys).map(({ key }) => key),
      there.map(({ key }) => key).filter((key) => keys.includes(key)),
    );
    const range = randomRange(random);
    const entries = entriesAt(state, time, kind, range);
    assertEquals(storage.count(kind, range), entries.length);
    assertEquals(storage.count(kind, range, 2), Math.min(2, entries.length));
    const reverse = random.chance(0.5);
    const read: StoredEntry[] = [];
    for (let rest: KeyRange | undefined = range; rest;) {
      const page: Page<StoredEntry> = storage.readEntries(kind, rest, {
        limit: random.between(1, 4),
        bytes: random.between(1, 6),
        reverse,
      });
      read.push(...page.items);
      rest = page.rest;
    }
    assertEquals(
      read.map(timed),
      (reverse ? entries.toReversed() : entries).map(timed),
    );
  }
  assertEquals(
    storage.listKinds(),
    KINDS.filter((kind) => entriesAt(state, time, kind).length > 0),
  );
}

/** The log tells how each state became the next one. */
export function checkLog(
  { storage, past, head }: StorageModel<Storage>,
  clock: LogClock = "own",
): void {
  const timed = <T extends object>(entry: T | undefined) =>
    clock === "own" ? entry : entry && { ...entry, updatedAt: undefined };
  let count = 0;
  for (let after = 0; after < head;) {
    const filter = { keys: ALL_KEYS, previous: true, times: true };
    const page = storage.readChanges(filter, after, head, 7);
    for (const change of page.changes as StoredChange[]) {
      const { revision, kind, key, type } = change;
      assertEquals(revision, ++count);
      const before = past[revision - 1].state.get(kind)?.get(key);
      const now = past[revision].state.get(kind)?.get(key);
      const { time } = past[revision];
      assertEquals(
        type,
        before ? now ? "update" : "delete" : "create",
      );
      assertEquals(change.value, (now ?? before)!.value);
      assertEquals(change.version, (now ?? before)!.version);
      assertEquals(change.previous, now && before?.value);
      assertEquals(change.expiresAt, now?.expiresAt);
      assert(change.time);
      if (clock === "own") assertEquals(change.time, new Date(time));
      const { expiresAt = Infinity } = before ?? {};
      assertEquals(change.isExpiry, type === "delete" && expiresAt <= time);
      assertEquals(storage.getMark(revision), change.mark);
      assertEquals(storage.getTime(revision), change.time);
      const previous = storage.getPrevious(revision);
      assertEquals(
        timed(previous && { key, ...previous }),
        timed(before),
      );
    }
    after = page.cursor;
  }
  assertEquals(count, head);
}
