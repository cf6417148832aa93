/**
 * The storage under a local engine: entries, their change log, and
 * transactions. SQLite and memory each implement it, and the engine does not
 * know how.
 *
 * The invariant: each change of an entry adds a change to the log, in the same
 * transaction. Every call is synchronous, and none waits for a lock.
 *
 * @module
 */
import type { SetStatus, VerifyFinding, VerifyPart } from "../contract/mod.ts";
import type { KeyRange } from "../keys/key_range.ts";
import type { ChangeFilter } from "../engine/change_log.ts";
import type {
  ChangePage,
  EntryState,
  StoredEntry,
  StoredValue,
} from "../engine/entries.ts";
import type { Page, PageOptions } from "../engine/page.ts";
import type { Put } from "../engine/write.ts";

/** A changed key, and the revision of its change. */
export interface ChangedKey {
  readonly key: string;
  readonly revision: number;
}

/** An entry before a change. */
export type Previous = Omit<StoredEntry, "key">;

/** The result of a put. */
export interface PutResult extends EntryState {
  readonly status: SetStatus;
}

/** The result of removing a range. */
export interface RangeRemoved {
  /** The number of removed entries, without those that had expired. */
  readonly count: number;
  /** The keys that are still to be removed; absent at the end of the range. */
  readonly rest?: KeyRange;
}

/** The entries at one moment, independent of later writes, until it or the storage is closed. */
export interface Snapshot {
  /** The kinds that have entries. */
  listKinds(): string[];
  /** The next entries of a range. */
  readEntries(kind: string, range: KeyRange): Page<StoredEntry>;
  /** Does nothing if it is closed already. */
  close(): void;
}

/**
 * The entries. Results are in key order. Nobody sees an expired entry. The time
 * is that of the storage's clock: at each call, or, in a transaction or a
 * moment, at its beginning.
 */
export interface Entries {
  getValue(kind: string, key: string): Uint8Array | undefined;
  getEntry(kind: string, key: string): StoredEntry | undefined;
  getState(kind: string, key: string): EntryState | undefined;
  /** The values of several keys, in any order. Missing entries are left out. */
  readSome(kind: string, keys: readonly string[]): StoredValue[];
  /** The next keys of a range. A page of keys has no values, and no limit of bytes. */
  readKeys(kind: string, range: KeyRange, page?: PageOptions): Page<string>;
  /** The next keys of a range, with their values. */
  readValues(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredValue>;
  /** The next entries of a range. */
  readEntries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredEntry>;
  /** The number of entries, counted up to `limit`. */
  count(kind: string, range: KeyRange, limit?: number): number;
  /** The kinds that have entries. */
  listKinds(): string[];
  /** Reads at another time, in ms since 1970: the entries that had not expired then. */
  asOf<T>(time: number, read: () => T): T;

  /**
   * Writes a value and its expiry, unless the entry has both already. An
   * expired entry is removed first. The caller does not use the bytes again.
   */
  put(kind: string, key: string, put: Put): PutResult;
  /** How many entries `insertAll` inserts; 0 if it never inserts. */
  readonly insertsAtOnce: number;
  /**
   * Inserts this many entries, in key order, each with version 1 and without
   * expiry, if there is no entry from their first to their last key. Otherwise
   * returns false, and nothing was written. Their revisions are the next ones,
   * in their order.
   */
  insertAll(kind: string, entries: readonly StoredValue[]): boolean;
  /** Removes an entry. Returns the revision of the removal, or `undefined` if there was no entry. */
  remove(kind: string, key: string): number | undefined;
  /** Removes the next entries of a range, at most a page of them. */
  removeRange(kind: string, range: KeyRange): RangeRemoved;

  /**
   * The time at which the next existing entry expires, in ms since 1970. It may
   * have passed. It is 0 if a transaction has something else to repair.
   */
  nextExpiry(): number | undefined;
  /**
   * The time at which the first of the entries expires that were put since the
   * last call; `undefined` if none of them expires.
   */
  takeSoonestPut(): number | undefined;
  /**
   * Removes expired entries. Returns how many it tried, at most `limit`. If
   * triggers of others keep an entry, it is skipped, and tried again after all
   * others.
   */
  removeExpired(limit: number): number;
}

/** The change log: one change for each revision, without a gap. */
export interface Changes {
  /** Whether every change of an entry is logged, as far as is known now. */
  isLogged(): boolean;
  /** The newest revision, 0 before the first. */
  headRevision(): number;
  /** The oldest revision in the log. If it is empty, the next revision. */
  oldestRevision(): number;
  /**
   * The next changes past a revision, up to another: a page of them, at most
   * `limit`. Throws `WatchOverflowError` if the log lacks one of them.
   */
  readChanges(
    filter: ChangeFilter,
    after: number,
    until: number,
    limit: number,
  ): ChangePage;
  /**
   * The changes before a revision and after another, from the last one back: a
   * page of at most `limit`. Its cursor is the revision down to which all
   * changes were read.
   */
  readChangesBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
  ): ChangePage;
  /** The keys of a kind that changed, in the order of the revisions. */
  listChangedKeys(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
  ): ChangedKey[];
  /** The kinds that changed after a revision, up to another. */
  listChangedKinds(after: number, until: number): string[];
  /**
   * The kinds of the changes past a revision, if it is known that the open
   * transaction made all of these, and nobody else made one.
   */
  writtenKinds(since: number): ReadonlySet<string> | undefined;
  /**
   * What a change replaced; `undefined` where it created, or is not in the log.
   * Throws `WatchOverflowError` if an earlier version logged it, which did not
   * note all of that.
   */
  getPrevious(revision: number): Previous | undefined;
  /**
   * The mark of a change, or of the revision at which the log begins;
   * `undefined` if the log does not have it.
   */
  getMark(revision: number): number | undefined;
  /** The time of a change; `undefined` if the log does not have it. */
  getTime(revision: number): Date | undefined;
  /** Removes the changes up to a revision. */
  prune(until: number): void;
}

/** An entry for a verification, which may have any fault. */
export interface FoundEntry {
  /** A string, unless the stored name is not text. */
  readonly kind: unknown;
  readonly key: unknown;
  /** `undefined` if there is no value. */
  readonly value: Uint8Array | undefined;
  readonly version: unknown;
  readonly revision: unknown;
  readonly updatedAt: Date;
  readonly expiresAt: unknown;
}

/** A change for a verification. */
export interface FoundChange
  extends Pick<FoundEntry, "kind" | "key" | "version" | "value"> {
  readonly revision: number;
  readonly type: unknown;
  readonly previous: Uint8Array | undefined;
  /** The entry's revision before; `undefined` if it did not exist. */
  readonly previousRevision: unknown;
  /** Whether an early version logged it, without some of the present data. */
  readonly isEarlier: boolean;
  /** Another fault that the storage has found. */
  readonly problem?: string;
}

/** The storage's own verification. It yields nothing at each place where it may pause. */
export interface OwnVerification {
  readonly part: VerifyPart;
  find(): Iterable<VerifyFinding | undefined>;
}

/** A moment that stays readable until it is closed, independent of later writes. */
export interface Moment {
  /**
   * Whether it lasts only while this storage writes nothing. Its own reads may
   * go on.
   */
  readonly keepsWritesOut: boolean;
  close(): void;
}

/** The data of a verification, all at one moment. */
export interface Verifiable extends Moment {
  readonly ownVerifications: readonly OwnVerification[];
  /**
   * The revision at which the log begins, or continues after an early version.
   * Older entries have this revision or an earlier one.
   */
  readonly logBegin: number;
  /** Every entry, by kind and key. */
  entries(): Iterable<FoundEntry>;
  /** Every change in the log, by revision. */
  changes(): Iterable<FoundChange>;
  /** The value that a change in the log wrote. */
  valueOf(revision: number): Uint8Array | undefined;
}

/** Transactions, one at a time. A failure that is not the caller's error ends the transaction. */
export interface Transactions {
  begin(): void;
  commit(): void;
  /** Does nothing if the transaction has ended by itself. */
  rollBack(): void;
  /** Begins a savepoint, which can be undone alone. */
  save(): void;
  /** Undoes all writes since `save`. */
  undo(): void;
  /** Ends the savepoint. */
  release(): void;
  /** Begins a moment for the storage's own reads, outside a transaction. */
  openMoment(): Moment;
  /** Reads with several calls at one moment, outside a transaction. */
  snapshot<T>(read: () => T): T;
  /** Whether an error is the storage's, not the caller's. */
  isFailure(error: unknown): boolean;
  /** Whether a lock of another connection is in the way. */
  isBusy(error: unknown): boolean;
  /** The error for an operation's caller. */
  errorOf(action: string, error: unknown): unknown;
}

/** The storage of a store. */
export interface Storage extends Entries, Changes, Transactions {
  /**
   * Throws if reads would no longer return what others see. It is called before
   * each read, so it checks only now and then.
   */
  look(action: string): void;
  /** Whether the storage is read-only. */
  readonly isReadOnly: boolean;
  /** Throws `StoreReadOnlyError` if the storage is read-only. */
  assertWritable(action: string): void;
  /** Throws `StoreReadOnlyError` if there is no change log, and none can be created. */
  assertWatchable(action: string): void;
  /** The entries at this moment. Use it outside a transaction. */
  openSnapshot(): Snapshot;
  /** The data of a verification, at this moment. Call it outside a transaction. */
  openVerification(): Verifiable;
  close(): void;
}
