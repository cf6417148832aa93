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
import { equalBytes } from "../bytes.ts";
import type { SetStatus } from "../contract.ts";
import { compareKeys } from "../key_order.ts";
import { ALL_KEYS, isInRange, type KeyRange, rangePast } from "../key_range.ts";
import { putEach } from "../storage/put_each.ts";
import type {
  ChangedKey,
  Checkable,
  FoundChange,
  FoundEntry,
  Origin,
  Page,
  Previous,
  Snapshot,
  StatusCounts,
  Storage,
  StoredChange,
  StoredEntry,
  StoredValue,
} from "../storage/storage.ts";

interface Kept {
  readonly value: Uint8Array;
  readonly version: number;
  readonly updatedAt: Date;
}

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

  listKeys(kind: string, range: KeyRange, page?: Page): string[] {
    return [...this.#walk(kind, range, page)].map(([key]) => key);
  }

  listValues(kind: string, range: KeyRange, page?: Page): StoredValue[] {
    return [...this.#walk(kind, range, page)].map(([key, { value }]) => ({
      key,
      value: value.slice(),
    }));
  }

  listEntries(kind: string, range: KeyRange, page?: Page): StoredEntry[] {
    return [...this.#walk(kind, range, page)].map(([key, kept]) =>
      toEntry(key, kept)
    );
  }

  count(kind: string, range: KeyRange, limit?: number): number {
    let count = 0;
    for (const _ of this.#walk(kind, range, { limit })) count++;
    return count;
  }

  listKinds(): string[] {
    return [...this.#kinds.keys()].sort(compareKeys);
  }

  listAll(): (StoredValue & { readonly kind: string })[] {
    return this.listKinds().flatMap((kind) =>
      this.#kinds.get(kind)!.toArray().map(([key, { value }]) => ({
        kind,
        key,
        value: value.slice(),
      }))
    );
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
      ? { value, version: previous.version + 1, updatedAt: new Date() }
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

  putAll(
    kind: string,
    entries: Iterable<StoredValue>,
  ): Generator<void, StatusCounts> {
    return putEach(entries, ({ key, value }) => this.put(kind, key, value));
  }

  remove(kind: string, key: string): void {
    const previous = this.#find(kind, key);
    if (!previous) return;
    this.#change({ kind, key, type: "delete", entry: undefined, previous });
  }

  #find(kind: string, key: string): Kept | undefined {
    return this.#kinds.get(kind)?.get(key);
  }

  *#walk(
    kind: string,
    range: KeyRange,
    { limit = Infinity, reverse = false }: Page = {},
  ): Generator<[string, Kept]> {
    const tree = this.#kinds.get(kind);
    if (!tree) return;
    const { lower, upper } = range;
    const pairs = reverse
      ? tree.entriesReversed(upper?.key)
      : tree.entries(lower.key);
    let left = limit;
    for (const pair of pairs) {
      if (left === 0) return;
      if (isInRange(range, pair[0])) {
        left--;
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

  listChanges(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
    limit: number,
  ): StoredChange[] {
    const changes: StoredChange[] = [];
    for (const [revision, change] of this.#changes(after, until)) {
      if (changes.length === limit) break;
      if (change.kind !== kind || !isInRange(range, change.key)) continue;
      const { key, type, entry, previous } = change;
      const { version, value } = (entry ?? previous)!;
      changes.push({ revision, type, key, version, value: value.slice() });
    }
    return changes;
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

  beginRead(): void {
    this.begin();
  }

  snapshot<T>(read: () => T): T {
    return read();
  }

  // Nothing fails, nobody else is in the way, everything is allowed.

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
    const snapshot = new MemoryStorage();
    for (const [kind, tree] of this.#kinds) {
      // What both hold is copied when one of them changes it.
      snapshot.#kinds.set(kind, tree.clone());
    }
    return {
      listKinds: () => snapshot.listKinds(),
      listEntries: (kind, after, limit) =>
        snapshot.listEntries(kind, rangePast(ALL_KEYS, after), { limit }),
      close: () => snapshot.close(),
    };
  }

  openCheck(): Checkable {
    return {
      ownChecks: [],
      entries: () => this.#findEntries(),
      changes: () => this.#findChanges(),
      valueOf: (revision) => this.#logged(revision)?.entry?.value,
    };
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

function toEntry(
  key: string,
  { value, version, updatedAt }: Kept,
): StoredEntry {
  return { key, value: value.slice(), version, updatedAt: new Date(updatedAt) };
}
