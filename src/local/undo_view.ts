/**
 * Reads entries at a past revision, by undo: the present entries, with every
 * key that changed since set back to the entry that its first change replaced.
 * It holds no read transaction, which would prevent checkpoints of the WAL. In
 * memory it has one page, and the keys that have changed since.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import { Slice } from "../base/slice.ts";
import {
  type EntryState,
  sizeOfValue,
  type StoredEntry,
  type StoredValue,
} from "../engine/entries.ts";
import {
  type Page,
  PAGE_BYTES,
  PAGE_ENTRIES,
  type PageOptions,
} from "../engine/page.ts";
import type { PastView } from "../engine/view.ts";
import { compareKeys } from "../keys/key_order.ts";
import { ALL_KEYS, type KeyRange, rangePast } from "../keys/key_range.ts";
import { ChangedKeys, SCAN_WINDOW } from "./changed_keys.ts";
import type { PastMoment } from "./past_moment.ts";
import { assertLogged, assertLogReaches } from "./revisions.ts";
import type { Previous, Storage } from "./storage.ts";

/** Runs a read in its turn. */
export type ReadInTurn = <T>(
  work: () => T,
  signal?: AbortSignal,
) => MaybePromise<T>;

/** How to read the rows of a page, and what they contain. */
interface Rows<T> {
  read(range: KeyRange, page: PageOptions): Page<T>;
  keyOf(row: T): string;
  sizeOf(row: T): number;
  /** The row of a past entry. */
  of(key: string, previous: Previous): T;
}

/** The past entries of a storage. */
export class UndoView implements PastView {
  readonly revision: number;
  readonly #time: number;
  readonly #storage: Storage;
  readonly #read: ReadInTurn;
  readonly #changed: ChangedKeys;

  /** Takes the storage, the function for reads, and the moment. */
  constructor(
    storage: Storage,
    read: ReadInTurn,
    { revision, time }: PastMoment,
  ) {
    this.revision = revision;
    this.#time = time;
    this.#storage = storage;
    this.#read = read;
    this.#changed = new ChangedKeys(storage, revision);
  }

  value(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    return this.#step(kind, () => {
      const change = this.#changed.firstChange(kind, key);
      return change === undefined
        ? this.#storage.getValue(kind, key)
        : this.#before(change)?.value;
    }, signal);
  }

  entry(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<StoredEntry | undefined> {
    return this.#step(kind, () => {
      const change = this.#changed.firstChange(kind, key);
      if (change === undefined) return this.#storage.getEntry(kind, key);
      const previous = this.#before(change);
      return previous && { key, ...previous };
    }, signal);
  }

  state(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<EntryState | undefined> {
    return this.#step(kind, () => {
      const change = this.#changed.firstChange(kind, key);
      if (change === undefined) return this.#storage.getState(kind, key);
      const previous = this.#before(change);
      return previous &&
        { version: previous.version, revision: previous.revision };
    }, signal);
  }

  async some(
    kind: string,
    keys: readonly string[],
    signal?: AbortSignal,
  ): Promise<StoredValue[]> {
    const found: StoredValue[] = [];
    for (let at = 0; at < keys.length; at += PAGE_ENTRIES) {
      const some = keys.slice(at, at + PAGE_ENTRIES);
      found.push(
        ...await this.#step(kind, () => this.#some(kind, some), signal),
      );
    }
    return found;
  }

  #some(kind: string, keys: readonly string[]): StoredValue[] {
    const found: StoredValue[] = [];
    const asNow: string[] = [];
    for (const key of keys) {
      const change = this.#changed.firstChange(kind, key);
      if (change === undefined) asNow.push(key);
      else {
        const previous = this.#before(change);
        if (previous) found.push({ key, value: previous.value });
      }
    }
    return asNow.length > 0
      ? [...found, ...this.#storage.readSome(kind, asNow)]
      : found;
  }

  keys(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<string>> {
    return this.#page(kind, range, page, {
      read: (range, page) => this.#storage.readKeys(kind, range, page),
      keyOf: (key) => key,
      sizeOf: () => 0,
      of: (key) => key,
    }, signal);
  }

  values(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<StoredValue>> {
    return this.#page(kind, range, page, {
      read: (range, page) => this.#storage.readValues(kind, range, page),
      keyOf,
      sizeOf: sizeOfValue,
      of: (key, { value }) => ({ key, value }),
    }, signal);
  }

  entries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<StoredEntry>> {
    return this.#page<StoredEntry>(kind, range, page, {
      read: (range, page) => this.#storage.readEntries(kind, range, page),
      keyOf,
      sizeOf: sizeOfValue,
      of: (key, previous) => ({ key, ...previous }),
    }, signal);
  }

  async count(
    kind: string,
    range: KeyRange,
    limit = Infinity,
    signal?: AbortSignal,
  ): Promise<number> {
    const known = await this.#step(kind, () => {
      for (const _ of this.#changed.within(kind, range)) return undefined;
      return this.#storage.count(kind, range, limit);
    }, signal);
    if (known !== undefined) return known;
    let count = 0;
    for (let rest: KeyRange | undefined = range; rest && count < limit;) {
      const page: Page<string> = await this.keys(kind, rest, {}, signal);
      count += page.items.length;
      rest = page.rest;
    }
    return Math.min(count, limit);
  }

  async kinds(signal?: AbortSignal): Promise<string[]> {
    const kinds: string[] = [];
    for (const kind of await this.#listKinds(signal)) {
      if (await this.#hasEntries(kind, signal)) kinds.push(kind);
    }
    return kinds;
  }

  /** The kinds with present entries, and those that have changed since, in order. */
  async #listKinds(signal?: AbortSignal): Promise<string[]> {
    const changed = new Set<string>();
    let scanned = this.revision;
    const slice = new Slice();
    for (;;) {
      const now = await this.#read(() =>
        this.#storage.snapshot(() => {
          const head = this.#storage.headRevision();
          const until = Math.min(head, scanned + SCAN_WINDOW);
          const kinds = this.#storage.listChangedKinds(scanned, until);
          for (const kind of kinds) changed.add(kind);
          assertLogReaches(this.#storage, this.revision);
          scanned = until;
          return until === head
            ? this.#storage.asOf(this.#time, () => this.#storage.listKinds())
            : undefined;
        }), signal);
      if (now) return [...changed.union(new Set(now))].sort(compareKeys);
      if (slice.isUsedUp) await slice.nextTurn();
    }
  }

  async #hasEntries(kind: string, signal?: AbortSignal): Promise<boolean> {
    for (let rest: KeyRange | undefined = ALL_KEYS; rest;) {
      const page: Page<string> = await this.keys(
        kind,
        rest,
        { limit: 1 },
        signal,
      );
      if (page.items.length > 0) return true;
      rest = page.rest;
    }
    return false;
  }

  close(): void {}

  /** Reads at one moment, when all changed keys of the kind are known. */
  async #step<T>(
    kind: string,
    work: () => T,
    signal?: AbortSignal,
  ): Promise<T> {
    const slice = new Slice();
    for (;;) {
      const done = await this.#read(() => this.#try(kind, work), signal);
      if (done) return done.result;
      if (slice.isUsedUp) await slice.nextTurn();
    }
  }

  #try<T>(kind: string, work: () => T): { readonly result: T } | undefined {
    const storage = this.#storage;
    assertLogged(storage);
    if (!this.#changed.scan(kind, storage.headRevision())) return undefined;
    return storage.snapshot(() => {
      // Others may have committed since the line above.
      const isScanned = this.#changed.scan(kind, storage.headRevision());
      if (!isScanned) return undefined;
      const result = storage.asOf(this.#time, work);
      // It comes after the read: a change that is in the log now was there
      // then.
      assertLogReaches(storage, this.revision);
      return { result };
    });
  }

  #page<T>(
    kind: string,
    range: KeyRange,
    options: PageOptions | undefined,
    rows: Rows<T>,
    signal?: AbortSignal,
  ): Promise<Page<T>> {
    return this.#step(
      kind,
      () => this.#readPage(kind, range, options, rows),
      signal,
    );
  }

  #readPage<T>(
    kind: string,
    range: KeyRange,
    options: PageOptions = {},
    { read, keyOf, sizeOf, of }: Rows<T>,
  ): Page<T> {
    const { limit = PAGE_ENTRIES, bytes = PAGE_BYTES, reverse = false } =
      options;
    const { items: now, rest } = read(range, options);
    const changes = this.#changed.within(kind, range, reverse)[
      Symbol.iterator
    ]();
    const items: T[] = [];
    let change = changes.next().value;
    let current = 0;
    let undone = 0;
    // The size of a previous value is known only after it was read, so one
    // value may exceed the limit.
    let left = bytes;
    let reached: string | undefined;
    // A key that was created since leaves no entry, so the number of undone
    // keys is limited, too.
    while (items.length < limit && undone < PAGE_ENTRIES && left > 0) {
      const row = now[current] as T | undefined;
      const rowKey = row === undefined ? undefined : keyOf(row);
      // After the rows that were read, a changed key may have rows before it.
      const undoNext = change !== undefined &&
        (rowKey === undefined
          ? rest === undefined
          : inOrder(change.key, rowKey, reverse));
      if (!undoNext && row === undefined) break;
      let item = row;
      reached = rowKey;
      if (change && undoNext) {
        const { key, revision } = change;
        const previous = this.#before(revision);
        item = previous && of(key, previous);
        reached = key;
        undone++;
        change = changes.next().value;
      }
      if (rowKey === reached) current++;
      if (item === undefined) continue;
      items.push(item);
      left -= sizeOf(item);
    }
    const isEnd = rest === undefined && current === now.length && !change;
    if (isEnd) return { items };
    return {
      items,
      rest: reached === undefined ? range : rangePast(range, reached, reverse),
    };
  }

  /** The entry before a change; nothing if the change created it, or if it had expired. */
  #before(revision: number): Previous | undefined {
    const previous = this.#storage.getPrevious(revision);
    const isThere = previous &&
      (previous.expiresAt === undefined || previous.expiresAt > this.#time);
    return isThere ? previous : undefined;
  }
}

function keyOf({ key }: StoredValue): string {
  return key;
}

/** Whether a key comes at the place of another, or before it. */
function inOrder(key: string, other: string, reverse: boolean): boolean {
  const order = compareKeys(key, other);
  return reverse ? order >= 0 : order <= 0;
}
