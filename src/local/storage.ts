/**
 * What a local engine is built on: entries, their change log, and transactions.
 * SQLite and memory each implement it; the engine knows nothing of how they keep
 * things.
 *
 * The invariant: whatever changes an entry adds its change to the log, in the
 * same transaction. Every call is synchronous, and none waits for a lock.
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

/** A key that changed, and in which revision. */
export interface ChangedKey {
  readonly key: string;
  readonly revision: number;
}

/** What an entry was before a change. */
export type Previous = Omit<StoredEntry, "key">;

/** What became of a value that was to be written. */
export interface PutResult extends EntryState {
  readonly status: SetStatus;
}

/** What was removed of a range. */
export interface RangeRemoved {
  /** How many entries were removed, without those that had expired. */
  readonly count: number;
  /** The keys that are still to be removed; absent at the end of the range. */
  readonly rest?: KeyRange;
}

/** The entries as of one moment, whoever writes meanwhile, until it or the storage is closed. */
export interface Snapshot {
  /** The kinds that have entries. */
  listKinds(): string[];
  /** The next entries of a range. */
  readEntries(kind: string, range: KeyRange): Page<StoredEntry>;
  /** Does nothing where it is closed already. */
  close(): void;
}

/**
 * The entries. What is read is in key order. What has expired is there for
 * nobody, by the storage's clock: that of each call, or, in a transaction or
 * a moment, that of its beginning.
 */
export interface Entries {
  getValue(kind: string, key: string): Uint8Array | undefined;
  getEntry(kind: string, key: string): StoredEntry | undefined;
  getState(kind: string, key: string): EntryState | undefined;
  /** The values of several keys, in any order; those that are there. */
  readSome(kind: string, keys: readonly string[]): StoredValue[];
  /** The next keys of a range: a page of them has no values, and no bytes. */
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
  /** How many there are, counted up to `limit`. */
  count(kind: string, range: KeyRange, limit?: number): number;
  /** The kinds that have entries. */
  listKinds(): string[];
  /** Reads as of another time, in ms since 1970: what had not expired then. */
  asOf<T>(time: number, read: () => T): T;

  /**
   * Writes a value and its expiry, unless both are there already. What has
   * expired is removed first. The bytes are not used again.
   */
  put(kind: string, key: string, put: Put): PutResult;
  /** How many entries `insertAll` inserts; 0 if it never does. */
  readonly insertsAtOnce: number;
  /**
   * Inserts so many entries, in key order, each with version 1 and no expiry, if
   * there is none from their first to their last key; else false, and nothing
   * was written. Their revisions are the next ones, in their order.
   */
  insertAll(kind: string, entries: readonly StoredValue[]): boolean;
  /** Removes an entry; gives the revision of that, or `undefined` if there was none. */
  remove(kind: string, key: string): number | undefined;
  /** Removes the next entries of a range, at most a page of them. */
  removeRange(kind: string, range: KeyRange): RangeRemoved;

  /**
   * When the next entry expires that is there, in ms since 1970. It may have
   * passed; if a transaction has something else to mend, it is 0.
   */
  nextExpiry(): number | undefined;
  /**
   * When the first of those entries expires that were put since this was asked
   * last; `undefined` if none of them expires.
   */
  takeSoonestPut(): number | undefined;
  /**
   * Removes entries that have expired; gives how many it tried, at most `limit`.
   * What the triggers of others keep is passed over, and tried again when it has
   * tried all.
   */
  removeExpired(limit: number): number;
}

/** The change log: one change for each revision, without a gap. */
export interface Changes {
  /** Whether whatever changes an entry is logged, as far as can be told now. */
  isLogged(): boolean;
  /** The newest revision, 0 before the first. */
  headRevision(): number;
  /** The oldest in the log; where that is empty, the one that will be. */
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
   * The changes before a revision and past another, from the last one back: a
   * page of them, at most `limit`. Its cursor is the revision down to which
   * there are no others.
   */
  readChangesBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
  ): ChangePage;
  /** Which keys of a kind changed, in the order of the revisions. */
  listChangedKeys(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
  ): ChangedKey[];
  /** Which kinds changed past a revision, up to another. */
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
  /** When a change was made; `undefined` if the log does not tell. */
  getTime(revision: number): Date | undefined;
  /** Removes the changes up to a revision. */
  prune(until: number): void;
}

/** An entry as a verification finds it, whatever is wrong with it. */
export interface FoundEntry {
  /** A string, unless it is no text. */
  readonly kind: unknown;
  readonly key: unknown;
  /** `undefined` where there is none. */
  readonly value: Uint8Array | undefined;
  readonly version: unknown;
  readonly revision: unknown;
  readonly updatedAt: Date;
  readonly expiresAt: unknown;
}

/** A change as a verification finds it. */
export interface FoundChange
  extends Pick<FoundEntry, "kind" | "key" | "version" | "value"> {
  readonly revision: number;
  readonly type: unknown;
  readonly previous: Uint8Array | undefined;
  /** What the entry's revision was before; `undefined` if it was not there. */
  readonly previousRevision: unknown;
  /** Whether an earlier version logged it, which did not note all that a change has now. */
  readonly isEarlier: boolean;
  /** What else is wrong with it, as the storage finds it. */
  readonly problem?: string;
}

/** What a storage can verify of itself: it yields nothing where it may pause. */
export interface OwnVerification {
  readonly part: VerifyPart;
  find(): Iterable<VerifyFinding | undefined>;
}

/** A moment that stays readable until it is closed, whoever writes meanwhile. */
export interface Moment {
  /**
   * Whether it lasts only as long as this storage writes nothing. Its own reads
   * may go on.
   */
  readonly keepsWritesOut: boolean;
  close(): void;
}

/** What a verification reads, all of it as of one moment. */
export interface Verifiable extends Moment {
  readonly ownVerifications: readonly OwnVerification[];
  /**
   * The revision at which the log begins, or goes on after an earlier version.
   * The entries of before have it, or an earlier one.
   */
  readonly logBegin: number;
  /** Every entry, by kind and key. */
  entries(): Iterable<FoundEntry>;
  /** Every change in the log, by revision. */
  changes(): Iterable<FoundChange>;
  /** The value that a change in the log wrote. */
  valueOf(revision: number): Uint8Array | undefined;
}

/** Transactions, one at a time. What fails in one, and is not the caller's error, ends it. */
export interface Transactions {
  begin(): void;
  commit(): void;
  /** Does nothing where the transaction has ended by itself. */
  rollBack(): void;
  /** Begins a part that can be undone alone. */
  save(): void;
  /** Undoes what was written since `save`. */
  undo(): void;
  /** Ends the part. */
  release(): void;
  /** Begins a moment that the storage's own reads are of, outside a transaction. */
  openMoment(): Moment;
  /** Reads with several calls as of one moment, outside a transaction. */
  snapshot<T>(read: () => T): T;
  /** Whether an error is the storage's, not the caller's. */
  isFailure(error: unknown): boolean;
  /** Whether it is only that another connection's lock is in the way. */
  isBusy(error: unknown): boolean;
  /** What an operation's caller is told of an error. */
  errorOf(action: string, error: unknown): unknown;
}

/** What keeps a store. */
export interface Storage extends Entries, Changes, Transactions {
  /**
   * Throws if what would be read is no longer what others see. It comes before
   * each read, and so looks only now and then.
   */
  look(action: string): void;
  /** Whether nothing can be written. */
  readonly isReadOnly: boolean;
  /** Throws `StoreReadOnlyError` where nothing can be written. */
  assertWritable(action: string): void;
  /** Throws `StoreReadOnlyError` if there is no change log, and none can be made. */
  assertWatchable(action: string): void;
  /** The entries as of this moment. To be used outside a transaction. */
  openSnapshot(): Snapshot;
  /** What a verification reads, as of this moment. To be called outside a transaction. */
  openVerification(): Verifiable;
  close(): void;
}
