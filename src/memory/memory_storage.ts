/**
 * A store's storage in memory: a sorted map for each kind, and the change log
 * in an array. It can undo the changes of a transaction one by one.
 *
 * It keeps the bytes that are put, and copies the bytes that it returns, so
 * nobody outside holds the kept bytes.
 *
 * @module
 */
import { equalBytes } from "../base/bytes.ts";
import { compareKeys } from "../keys/key_order.ts";
import { isInRange, type KeyRange, rangePast } from "../keys/key_range.ts";
import type { ChangeFilter } from "../engine/change_log.ts";
import { drawMark } from "../engine/cursor.ts";
import { nextVersion } from "../engine/last_number.ts";
import {
  type Page,
  PAGE_BYTES,
  PAGE_ENTRIES,
  type PageOptions,
} from "../engine/page.ts";
import type {
  ChangePage,
  EntryState,
  StoredEntry,
  StoredValue,
} from "../engine/entries.ts";
import type { Put } from "../engine/write.ts";
import type {
  ChangedKey,
  Moment,
  Previous,
  PutResult,
  RangeRemoved,
  Snapshot,
  Storage,
  Verifiable,
} from "../local/storage.ts";
import { Expiries } from "./expiries.ts";
import { findChanges, findEntries } from "./found.ts";
import {
  isGone,
  type Kept,
  type Logged,
  sizeOf,
  toEntry,
  toValue,
} from "./kept.ts";
import { countAll, isAnyLeft, makeTree, type Tree, walk } from "./tree.ts";
import { MemoryLog } from "./memory_log.ts";

/** Entries and their change log, which last as long as the process. */
export class MemoryStorage implements Storage {
  readonly isReadOnly = false;
  readonly #kinds = new Map<string, Tree>();
  #expiries = new Expiries();
  #log = new MemoryLog();
  /** The revisions at which the open transaction and its savepoint began. */
  readonly #begun: number[] = [];
  #soonestPut: number | undefined;
  /** The number of moments that are being read. */
  #moments = 0;
  /** The fixed time of reads, if there is one, in ms since 1970. */
  #time: number | undefined;

  // Entries.

  getValue(kind: string, key: string): Uint8Array | undefined {
    return this.#find(kind, key)?.value.slice();
  }

  getEntry(kind: string, key: string): StoredEntry | undefined {
    const kept = this.#find(kind, key);
    return kept && toEntry(key, kept);
  }

  getState(kind: string, key: string): EntryState | undefined {
    const kept = this.#find(kind, key);
    return kept && { version: kept.version, revision: kept.revision };
  }

  readSome(kind: string, keys: readonly string[]): StoredValue[] {
    return keys.flatMap((key) => {
      const kept = this.#find(kind, key);
      return kept ? [toValue(key, kept)] : [];
    });
  }

  readKeys(kind: string, range: KeyRange, page?: PageOptions): Page<string> {
    return this.#readPage(kind, range, page, (key) => key, () => 0);
  }

  readValues(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredValue> {
    return this.#readPage(kind, range, page, toValue, sizeOf);
  }

  readEntries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredEntry> {
    return this.#readPage(kind, range, page, toEntry, sizeOf);
  }

  #readPage<T>(
    kind: string,
    range: KeyRange,
    { limit = PAGE_ENTRIES, bytes = PAGE_BYTES, reverse = false }: PageOptions =
      {},
    toItem: (key: string, kept: Kept) => T,
    sizeOf: (kept: Kept) => number,
  ): Page<T> {
    const tree = this.#kinds.get(kind);
    const items: T[] = [];
    const time = this.#now();
    let left = bytes;
    let last = "";
    for (const [key, kept] of walk(tree, range, reverse)) {
      if (isGone(kept, time)) continue;
      left -= sizeOf(kept);
      const isFull = items.length === limit || (left < 0 && items.length > 0);
      if (isFull) return { items, rest: rangePast(range, last, reverse) };
      items.push(toItem(key, kept));
      last = key;
    }
    return { items };
  }

  count(kind: string, range: KeyRange, limit = Infinity): number {
    const tree = this.#kinds.get(kind);
    if (!tree) return 0;
    const gone = this.#expiries.until(this.#now(), Infinity)
      .filter((name) => name.kind === kind && isInRange(range, name.key));
    return Math.min(countAll(tree, range) - gone.length, limit);
  }

  listKinds(): string[] {
    const time = this.#now();
    return [...this.#kinds]
      .filter(([, tree]) => isAnyLeft(tree, time))
      .map(([kind]) => kind)
      .sort(compareKeys);
  }

  asOf<T>(time: number, read: () => T): T {
    const before = this.#time;
    this.#time = time;
    try {
      return read();
    } finally {
      this.#time = before;
    }
  }

  put(kind: string, key: string, put: Put): PutResult {
    const { value, origin = {} } = put;
    const found = this.#kinds.get(kind)?.get(key);
    const time = this.#now();
    const isExpiry = found !== undefined && isGone(found, time);
    if (isExpiry) this.#remove(kind, key, found, true);
    const previous = isExpiry ? undefined : found;
    const expiresAt = put.expiresAt === "keep"
      ? previous?.expiresAt
      : put.expiresAt;
    const isSame = previous?.expiresAt === expiresAt &&
      previous !== undefined && equalBytes(previous.value, value);
    if (isSame) {
      const { version, revision } = previous;
      return { status: "unchanged", version, revision };
    }
    const version = previous
      ? nextVersion(kind, key, previous.version)
      : origin.version ?? 1;
    const now = new Date(time);
    const entry: Kept = {
      value,
      version,
      revision: this.#log.head + 1,
      updatedAt: previous ? now : origin.updatedAt ?? now,
      expiresAt,
    };
    const type = previous ? "update" : "create";
    this.#change({ kind, key, type, isExpiry: false, entry, previous }, now);
    if (expiresAt !== undefined) {
      this.#soonestPut = Math.min(this.#soonestPut ?? Infinity, expiresAt);
    }
    const status = previous ? "updated" : "created";
    return { status, version, revision: entry.revision };
  }

  readonly insertsAtOnce = 0;

  insertAll(): boolean {
    return false;
  }

  remove(kind: string, key: string): number | undefined {
    const found = this.#kinds.get(kind)?.get(key);
    if (!found) return undefined;
    const isExpiry = isGone(found, this.#now());
    this.#remove(kind, key, found, isExpiry);
    return isExpiry ? undefined : this.#log.head;
  }

  removeRange(kind: string, range: KeyRange): RangeRemoved {
    const { items, rest } = this.readKeys(kind, range);
    for (const key of items) this.remove(kind, key);
    return { count: items.length, rest };
  }

  nextExpiry(): number | undefined {
    return this.#expiries.next;
  }

  takeSoonestPut(): number | undefined {
    const soonest = this.#soonestPut;
    this.#soonestPut = undefined;
    return soonest;
  }

  removeExpired(limit: number): number {
    const names = this.#expiries.until(this.#now(), limit);
    for (const { kind, key } of names) this.remove(kind, key);
    return names.length;
  }

  #now(): number {
    return this.#time ?? Date.now();
  }

  #find(kind: string, key: string): Kept | undefined {
    const kept = this.#kinds.get(kind)?.get(key);
    return kept && !isGone(kept, this.#now()) ? kept : undefined;
  }

  #remove(kind: string, key: string, previous: Kept, isExpiry: boolean): void {
    this.#change(
      { kind, key, type: "delete", isExpiry, entry: undefined, previous },
      new Date(this.#now()),
    );
  }

  #change(change: Omit<Logged, "time" | "mark">, time: Date): void {
    this.#log.add({ ...change, time, mark: drawMark() });
    this.#keep(change.kind, change.key, change.entry, change.previous);
  }

  #keep(
    kind: string,
    key: string,
    entry: Kept | undefined,
    before: Kept | undefined,
  ): void {
    let tree = this.#kinds.get(kind);
    if (before?.expiresAt !== undefined) {
      this.#expiries.delete(kind, key, before.expiresAt);
    }
    if (entry) {
      if (!tree) this.#kinds.set(kind, tree = makeTree());
      tree.set(key, entry);
      if (entry.expiresAt !== undefined) {
        this.#expiries.add(kind, key, entry.expiresAt);
      }
    } else if (tree) {
      tree.delete(key);
      if (tree.isEmpty) this.#kinds.delete(kind);
    }
  }

  // The change log. See `MemoryLog`.

  isLogged(): boolean {
    return true;
  }

  headRevision(): number {
    return this.#log.head;
  }

  oldestRevision(): number {
    return this.#log.oldest;
  }

  readChanges(
    filter: ChangeFilter,
    after: number,
    until: number,
    limit: number,
  ): ChangePage {
    return this.#log.read(filter, after, until, limit);
  }

  readChangesBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
  ): ChangePage {
    return this.#log.readBack(filter, before, after, limit);
  }

  listChangedKeys(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
  ): ChangedKey[] {
    return this.#log.listChangedKeys(kind, range, after, until);
  }

  listChangedKinds(after: number, until: number): string[] {
    return this.#log.listChangedKinds(after, until);
  }

  writtenKinds(since: number): ReadonlySet<string> {
    return new Set(this.#log.listChangedKinds(since, this.#log.head));
  }

  getPrevious(revision: number): Previous | undefined {
    return this.#log.getPrevious(revision);
  }

  getMark(revision: number): number | undefined {
    return this.#log.getMark(revision);
  }

  getTime(revision: number): Date | undefined {
    return this.#log.get(revision)?.time;
  }

  prune(until: number): void {
    this.#log.prune(until);
  }

  // Transactions.

  begin(): void {
    this.#begun.push(this.headRevision());
    this.#time = Date.now();
  }

  commit(): void {
    this.#begun.length = 0;
    this.#time = undefined;
  }

  rollBack(): void {
    this.#begun.length = 1;
    this.undo();
    this.commit();
  }

  save(): void {
    this.#begun.push(this.headRevision());
  }

  undo(): void {
    const begun = this.#begun.at(-1)!;
    while (this.headRevision() > begun) {
      const { kind, key, entry, previous } = this.#log.takeBack();
      this.#keep(kind, key, previous, entry);
    }
  }

  release(): void {
    this.#begun.pop();
  }

  openMoment(): Moment {
    if (this.#moments++ === 0) this.#time = Date.now();
    const close = () => {
      if (--this.#moments === 0) this.#time = undefined;
    };
    return { keepsWritesOut: true, close };
  }

  snapshot<T>(read: () => T): T {
    return this.asOf(this.#now(), read);
  }

  // Nothing fails, there are no other connections, and every operation is
  // allowed.

  look(): void {}

  isFailure(): boolean {
    return false;
  }

  isBusy(): boolean {
    return false;
  }

  errorOf(_action: string, error: unknown): unknown {
    return error;
  }

  assertWritable(): void {}

  assertWatchable(): void {}

  openSnapshot(): Snapshot {
    const snapshot = this.clone();
    snapshot.#time = Date.now();
    return {
      listKinds: () => snapshot.listKinds(),
      readEntries: (kind, range) => snapshot.readEntries(kind, range),
      close: () => snapshot.close(),
    };
  }

  openVerification(): Verifiable {
    const snapshot = this.clone();
    const log = this.#log.clone();
    return {
      keepsWritesOut: false,
      ownVerifications: [],
      logBegin: 0,
      entries: () => findEntries(snapshot.#kinds),
      changes: () => findChanges(log),
      valueOf: (revision) => log.get(revision)?.entry?.value,
      close: () => snapshot.close(),
    };
  }

  /** An independent storage with the same entries, but without their changes. */
  clone(): MemoryStorage {
    const clone = new MemoryStorage();
    for (const [kind, tree] of this.#kinds) {
      // Shared parts are copied when one of the trees changes.
      clone.#kinds.set(kind, tree.clone());
    }
    clone.#expiries = this.#expiries.clone();
    return clone;
  }

  close(): void {
    this.#kinds.clear();
    this.#expiries.clear();
    this.#log = new MemoryLog();
  }
}
