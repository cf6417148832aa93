/**
 * A store's storage in memory: a sorted map for each kind, and the change log
 * in an array. What a transaction changed it can undo, change by change.
 *
 * Bytes that are put are kept as they are, and copied on the way out: nobody
 * outside holds what is kept here.
 *
 * @module
 */
import sortedBTree from "sorted-btree";
import { equalBytes } from "../base/bytes.ts";
import type { SetStatus } from "../contract/write.ts";
import { compareKeys } from "../keys/key_order.ts";
import { isInRange, type KeyRange, rangePast } from "../keys/key_range.ts";
import { nextVersion } from "../engine/last_number.ts";
import {
  type Page,
  PAGE_BYTES,
  PAGE_ENTRIES,
  type PageOptions,
} from "../engine/page.ts";
import type {
  ChangePage,
  StoredChange,
  StoredEntry,
  StoredValue,
} from "../engine/entries.ts";
import type { Origin } from "../engine/write.ts";
import type {
  ChangedKey,
  FoundChange,
  FoundEntry,
  Moment,
  Previous,
  Snapshot,
  Storage,
  Verifiable,
} from "../local/storage.ts";

interface Kept {
  readonly value: Uint8Array;
  readonly version: number;
  readonly updatedAt: Date;
}

/** No key is after it: it is no key itself, since it is not well-formed. */
const NO_END = { key: "\u{DFFF}", inclusive: false };

// The package is CommonJS.
const BTree = sortedBTree.default;
type Tree = sortedBTree.default<string, Kept>;

/** A change, with what it replaced. */
interface Logged {
  readonly kind: string;
  readonly key: string;
  readonly type: StoredChange["type"];
  /** What is there now; of a deletion, nothing. */
  readonly entry: Kept | undefined;
  readonly previous: Kept | undefined;
}

/** Entries and their change log, for as long as the process lives. */
export class MemoryStorage implements Storage {
  readonly isReadOnly = false;
  readonly #kinds = new Map<string, Tree>();
  /** The change log; the first is that of the revision `#pruned + 1`. */
  readonly #log: Logged[] = [];
  #pruned = 0;
  /** The revisions at which the open transaction, and the part of it, began. */
  readonly #begun: number[] = [];

  // Entries.

  getValue(kind: string, key: string): Uint8Array | undefined {
    return this.#find(kind, key)?.value.slice();
  }

  getEntry(kind: string, key: string): StoredEntry | undefined {
    const kept = this.#find(kind, key);
    return kept && toEntry(key, kept);
  }

  getVersion(kind: string, key: string): number {
    return this.#find(kind, key)?.version ?? 0;
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
    const items: T[] = [];
    let left = bytes;
    let last = "";
    for (const [key, kept] of this.#walk(kind, range, reverse)) {
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
    const { lower, upper = NO_END } = range;
    if (!tree || compareKeys(lower.key, upper.key) > 0) return 0;
    // Without a function, it counts a node of the tree at a time.
    const count = tree.forRange(lower.key, upper.key, upper.inclusive);
    const isBefore = !lower.inclusive && tree.has(lower.key);
    return Math.min(count - Number(isBefore), limit);
  }

  listKinds(): string[] {
    return [...this.#kinds.keys()].sort(compareKeys);
  }

  put(
    kind: string,
    key: string,
    value: Uint8Array,
    origin: Origin = {},
  ): { status: SetStatus; version: number } {
    const previous = this.#find(kind, key);
    if (previous && equalBytes(previous.value, value)) {
      return { status: "unchanged", version: previous.version };
    }
    const entry = previous
      ? {
        value,
        version: nextVersion(kind, key, previous.version),
        updatedAt: new Date(),
      }
      : {
        value,
        version: origin.version ?? 1,
        updatedAt: origin.updatedAt ?? new Date(),
      };
    const type = previous ? "update" : "create";
    this.#change({ kind, key, type, entry, previous });
    return {
      status: previous ? "updated" : "created",
      version: entry.version,
    };
  }

  readonly insertsAtOnce = 0;

  insertAll(): boolean {
    return false;
  }

  remove(kind: string, key: string): boolean {
    const previous = this.#find(kind, key);
    if (!previous) return false;
    this.#change({ kind, key, type: "delete", entry: undefined, previous });
    return true;
  }

  #find(kind: string, key: string): Kept | undefined {
    return this.#kinds.get(kind)?.get(key);
  }

  *#walk(
    kind: string,
    range: KeyRange,
    reverse: boolean,
  ): Generator<[string, Kept]> {
    const tree = this.#kinds.get(kind);
    if (!tree) return;
    const { lower, upper } = range;
    const pairs = reverse
      ? tree.entriesReversed(upper?.key)
      : tree.entries(lower.key);
    for (const pair of pairs) {
      if (isInRange(range, pair[0])) {
        yield pair;
        continue;
      }
      // Past the end, or at the bound where it began.
      const start = reverse ? upper : lower;
      if (pair[0] !== start?.key) return;
    }
  }

  #change(change: Logged): void {
    this.#log.push(change);
    this.#keep(change.kind, change.key, change.entry);
  }

  #keep(kind: string, key: string, entry: Kept | undefined): void {
    let tree = this.#kinds.get(kind);
    if (entry) {
      if (!tree) this.#kinds.set(kind, tree = new BTree([], compareKeys));
      tree.set(key, entry);
    } else if (tree) {
      tree.delete(key);
      if (tree.isEmpty) this.#kinds.delete(kind);
    }
  }

  // The change log.

  isLogged(): boolean {
    return true;
  }

  headRevision(): number {
    return this.#pruned + this.#log.length;
  }

  oldestRevision(): number {
    return this.#pruned + 1;
  }

  readChanges(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
    limit: number,
  ): ChangePage {
    const changes: StoredChange[] = [];
    const most = Math.min(limit, PAGE_ENTRIES);
    let left = PAGE_BYTES;
    for (const [revision, change] of this.#changes(after, until)) {
      if (change.kind !== kind || !isInRange(range, change.key)) continue;
      const { key, type, entry, previous } = change;
      const { version, value } = (entry ?? previous)!;
      left -= value.byteLength;
      const isFull = changes.length === most ||
        (left < 0 && changes.length > 0);
      if (isFull) return { changes, cursor: changes.at(-1)!.revision };
      changes.push({ revision, type, key, version, value: value.slice() });
    }
    return { changes, cursor: until };
  }

  listChangedKeys(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
  ): ChangedKey[] {
    const keys: ChangedKey[] = [];
    for (const [revision, change] of this.#changes(after, until)) {
      if (change.kind !== kind || !isInRange(range, change.key)) continue;
      keys.push({ key: change.key, revision });
    }
    return keys;
  }

  listChangedKinds(after: number, until: number): string[] {
    const kinds = new Set<string>();
    for (const [, { kind }] of this.#changes(after, until)) kinds.add(kind);
    return [...kinds];
  }

  getPrevious(revision: number): Previous | undefined {
    const previous = this.#logged(revision)?.previous;
    return previous && { ...previous, value: previous.value.slice() };
  }

  #logged(revision: number): Logged | undefined {
    return this.#log[revision - this.#pruned - 1];
  }

  prune(until: number): void {
    this.#log.splice(0, until - this.#pruned);
    this.#pruned = until;
  }

  *#changes(after: number, until: number): Generator<[number, Logged]> {
    for (
      let revision = Math.max(after, this.#pruned) + 1;
      revision <= until;
      revision++
    ) yield [revision, this.#log[revision - this.#pruned - 1]];
  }

  // Transactions.

  begin(): void {
    this.#begun.push(this.headRevision());
  }

  commit(): void {
    this.#begun.length = 0;
  }

  rollBack(): void {
    this.#begun.length = 1;
    this.undo();
    this.#begun.length = 0;
  }

  save(): void {
    this.begin();
  }

  undo(): void {
    const begun = this.#begun.at(-1)!;
    while (this.headRevision() > begun) {
      const { kind, key, previous } = this.#log.pop()!;
      this.#keep(kind, key, previous);
    }
  }

  release(): void {
    this.#begun.pop();
  }

  openMoment(): Moment {
    return { keepsWritesOut: true, close() {} };
  }

  snapshot<T>(read: () => T): T {
    return read();
  }

  // Nothing fails, nobody else is in the way, everything is allowed.

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
    const snapshot = this.#cloneEntries();
    return {
      listKinds: () => snapshot.listKinds(),
      readEntries: (kind, range) => snapshot.readEntries(kind, range),
      close: () => snapshot.close(),
    };
  }

  openVerification(): Verifiable {
    const snapshot = this.#cloneEntries();
    snapshot.#pruned = this.#pruned;
    for (const change of this.#log) snapshot.#log.push(change);
    return {
      keepsWritesOut: false,
      ownVerifications: [],
      entries: () => snapshot.#findEntries(),
      changes: () => snapshot.#findChanges(),
      valueOf: (revision) => snapshot.#logged(revision)?.entry?.value,
      close: () => snapshot.close(),
    };
  }

  #cloneEntries(): MemoryStorage {
    const clone = new MemoryStorage();
    for (const [kind, tree] of this.#kinds) {
      // What both hold is copied when one of them changes it.
      clone.#kinds.set(kind, tree.clone());
    }
    return clone;
  }

  *#findEntries(): Generator<FoundEntry> {
    for (const kind of this.listKinds()) {
      for (const [key, kept] of this.#kinds.get(kind)!.entries()) {
        yield { kind, ...toEntry(key, kept) };
      }
    }
  }

  *#findChanges(): Generator<FoundChange> {
    const changes = this.#changes(0, this.headRevision());
    for (const [revision, { kind, key, type, entry, previous }] of changes) {
      const version = (entry ?? previous)?.version;
      yield {
        revision,
        kind,
        key,
        type,
        version,
        value: entry?.value,
        previous: previous?.value,
      };
    }
  }

  close(): void {
    this.#kinds.clear();
    this.#log.length = 0;
  }
}

function sizeOf({ value }: Kept): number {
  return value.byteLength;
}

function toValue(key: string, { value }: Kept): StoredValue {
  return { key, value: value.slice() };
}

function toEntry(
  key: string,
  { value, version, updatedAt }: Kept,
): StoredEntry {
  return { key, value: value.slice(), version, updatedAt: new Date(updatedAt) };
}
