/**
 * A storage beside a plain model of it, both changed at random. The model knows
 * the entries as they were at each revision.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { StoredChange, StoredEntry } from "../../src/engine/entries.ts";
import { compareKeys } from "../../src/keys/key_order.ts";
import {
  ALL_KEYS,
  isInRange,
  type KeyRange,
} from "../../src/keys/key_range.ts";
import type { Storage } from "../../src/local/storage.ts";
import type { Put } from "../../src/engine/write.ts";
import type { Random } from "./random.ts";

/** The kinds and keys of the model. They are few, so that keys come again and again. */
export const KINDS = ["k", "l", "m"];
/** In key order, which is not JavaScript's own. */
export const KEYS = [
  ..."abcdefg",
  "g1",
  "g2",
  "g3",
  "\u{E000}",
  "\u{10000}",
  "\u{10FFFF}",
];

/** The entries of each kind, those that have expired, too. */
export type State = ReadonlyMap<string, ReadonlyMap<string, StoredEntry>>;

/** What was there at a revision, and when it was made, in ms since 1970. */
export interface PastState {
  readonly state: State;
  readonly time: number;
}

/** A storage and its model. */
export class StorageModel<S extends Storage> {
  readonly storage: S;
  /** By revision. */
  readonly past: PastState[] = [{ state: new Map(), time: Date.now() }];
  readonly #random: Random;
  readonly #soonest: number;
  #state: State = new Map();

  /**
   * Takes a storage without entries. If its clock is not the test's, nothing
   * may expire for now: what expires does so in `soonest` ms, or later.
   */
  constructor(storage: S, random: Random, soonest = 0) {
    this.storage = storage;
    this.#random = random;
    this.#soonest = soonest;
  }

  /** The newest revision. */
  get head(): number {
    return this.past.length - 1;
  }

  /** Changes both in one transaction, some of which are rolled back. */
  change(): void {
    const random = this.#random;
    const before = this.head;
    const state = this.#state;
    this.storage.begin();
    for (let n = random.between(1, 6); n > 0; n--) this.#changeOnce();
    if (random.chance(0.15)) {
      this.storage.rollBack();
      this.past.length = before + 1;
      this.#state = state;
    } else this.storage.commit();
    assertEquals(this.storage.headRevision(), this.head);
  }

  #changeOnce(): void {
    const random = this.#random;
    const kind = random.pick(KINDS);
    const key = random.pick(KEYS);
    const sort = random.below(20);
    if (sort < 12) return this.#put(kind, key);
    if (sort < 17) {
      this.storage.remove(kind, key);
      return this.#remove(kind, key);
    }
    if (sort === 17) return this.#removeRange(kind, randomRange(random));
    const gone = this.#expired();
    const { head } = this;
    assertEquals(this.storage.removeExpired(1_000), gone.length);
    // Of those that expire in the same ms, any may come first.
    const { changes } = this.storage.readChanges(
      { keys: ALL_KEYS },
      head,
      head + gone.length,
      gone.length + 1,
    );
    const removed = (changes as StoredChange[]).map(({ kind, key }) =>
      gone.find((entry) => entry.kind === kind && entry.key === key)!
    );
    assertEquals(
      removed.map(({ expiresAt }) => expiresAt),
      gone.map(({ expiresAt }) => expiresAt),
    );
    for (const { kind, key } of removed) this.#remove(kind, key);
  }

  #put(kind: string, key: string): void {
    const random = this.#random;
    const now = Date.now();
    const value = new Uint8Array(random.below(4)).fill(random.below(3));
    const soonest = now + this.#soonest;
    const expiresAt = random.pick<Put["expiresAt"]>([
      undefined,
      undefined,
      "keep",
      soonest - 5,
      soonest + random.between(1, 100),
    ]);
    const { status } = this.storage.put(kind, key, { value, expiresAt });
    const found = this.#state.get(kind)?.get(key);
    if (found && isGone(found, now)) this.#remove(kind, key);
    const before = found && !isGone(found, now) ? found : undefined;
    const next = expiresAt === "keep" ? before?.expiresAt : expiresAt;
    if (before?.expiresAt === next && `${before?.value}` === `${value}`) {
      if (before) return assertEquals(status, "unchanged");
    }
    assertEquals(status, before ? "updated" : "created");
    this.#keep(kind, key, {
      key,
      value,
      version: (before?.version ?? 0) + 1,
      revision: this.head + 1,
      updatedAt: new Date(now),
      expiresAt: next,
    });
  }

  #removeRange(kind: string, range: KeyRange): void {
    const now = Date.now();
    const there = entriesOf(this.#state, kind, range)
      .filter((entry) => !isGone(entry, now));
    const { count, rest } = this.storage.removeRange(kind, range);
    assertEquals([count, rest], [there.length, undefined]);
    for (const { key } of there) this.#remove(kind, key);
  }

  /** Those that have expired, in the order in which they did. */
  #expired(): (StoredEntry & { kind: string })[] {
    const now = Date.now();
    return KINDS
      .flatMap((kind) =>
        entriesOf(this.#state, kind).map((entry) => ({ kind, ...entry }))
      )
      .filter((entry) => isGone(entry, now))
      .sort((a, b) => a.expiresAt! - b.expiresAt!);
  }

  #remove(kind: string, key: string): void {
    if (this.#state.get(kind)?.has(key)) this.#keep(kind, key, undefined);
  }

  #keep(kind: string, key: string, entry: StoredEntry | undefined): void {
    const entries = new Map(this.#state.get(kind));
    if (entry) entries.set(key, entry);
    else entries.delete(key);
    this.#state = new Map(this.#state).set(kind, entries);
    this.past.push({ state: this.#state, time: Date.now() });
  }
}

/** Whether an entry has expired at a time. */
function isGone({ expiresAt }: StoredEntry, time: number): boolean {
  return expiresAt !== undefined && expiresAt <= time;
}

/** The entries of a kind and a range, in key order. */
function entriesOf(
  state: State,
  kind: string,
  range?: KeyRange,
): StoredEntry[] {
  return [...state.get(kind)?.values() ?? []]
    .filter(({ key }) => !range || isInRange(range, key))
    .sort((a, b) => compareKeys(a.key, b.key));
}

/** The same without those that have expired at a time. */
export function entriesAt(
  state: State,
  time: number,
  kind: string,
  range?: KeyRange,
): StoredEntry[] {
  return entriesOf(state, kind, range).filter((entry) => !isGone(entry, time));
}

/** Any range, empty ones, too. */
export function randomRange(random: Random): KeyRange {
  const bound = () => ({
    key: random.pick(["", ...KEYS]),
    inclusive: random.chance(0.5),
  });
  return random.chance(0.3)
    ? { lower: { key: "", inclusive: true } }
    : { lower: bound(), upper: random.chance(0.7) ? bound() : undefined };
}
