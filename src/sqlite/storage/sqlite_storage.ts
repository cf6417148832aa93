/**
 * A store's storage in an SQLite file. It combines the parts that read, write
 * and log through the store's connection.
 *
 * @module
 */
import { StoreError, StoreReadOnlyError } from "../../contract/errors.ts";
import type { KeyRange } from "../../keys/key_range.ts";
import type { Page, PageOptions } from "../../engine/page.ts";
import type {
  ChangePage,
  EntryState,
  StoredEntry,
  StoredValue,
} from "../../engine/entries.ts";
import type { ChangeFilter } from "../../engine/change_log.ts";
import type { Put } from "../../engine/write.ts";
import type {
  ChangedKey,
  Moment,
  Previous,
  PutResult,
  RangeRemoved,
  Snapshot,
  Storage,
  Verifiable,
} from "../../local/storage.ts";
import { emptyLog } from "../connection/checkpoints.ts";
import type { Database } from "../connection/database.ts";
import { isBusy, storeError } from "../connection/failure.ts";
import { GET_JOURNAL_MODE } from "../connection/queries.ts";
import { SqlError } from "../driver/driver.ts";
import { copyName } from "../driver/filename.ts";
import { SqliteVerification } from "../verification/sqlite_verification.ts";
import { ChangeLog } from "./change_log.ts";
import { Clock } from "./clock.ts";
import { EntryReads } from "./entry_reads.ts";
import { EntryWrites } from "./entry_writes.ts";
import { listedSnapshot } from "./listed_snapshot.ts";
import { ENTRIES_AT_ONCE } from "./queries.ts";
import { closeDatabase, Readers } from "./readers.ts";
import type { SqliteAccess } from "./sqlite_access.ts";
import { beginRead, SqliteTransactions } from "./transactions.ts";

/** The storage in a file of the current format. */
export class SqliteStorage implements Storage {
  readonly insertsAtOnce = ENTRIES_AT_ONCE;
  readonly #database: Database;
  readonly #access: SqliteAccess;
  readonly #entries: EntryReads;
  readonly #writes: EntryWrites;
  readonly #log: ChangeLog;
  readonly #clock: Clock;
  readonly #transactions: SqliteTransactions;
  /** The connections of open snapshots and verifications. */
  readonly #readers: Readers;

  /** Takes over a connection. */
  constructor(database: Database, access: SqliteAccess) {
    const { schema } = access;
    const clock = new Clock();
    const entries = new EntryReads(database, clock);
    const log = new ChangeLog(database);
    this.#database = database;
    this.#access = access;
    this.#entries = entries;
    this.#writes = new EntryWrites({ database, schema, entries, log, clock });
    this.#log = log;
    this.#clock = clock;
    this.#transactions = new SqliteTransactions(database, access, log, clock);
    this.#readers = new Readers(access);
  }

  // Entries. See `EntryReads` and `EntryWrites`.

  getValue(kind: string, key: string): Uint8Array | undefined {
    return this.#entries.getValue(kind, key);
  }

  getEntry(kind: string, key: string): StoredEntry | undefined {
    return this.#entries.getEntry(kind, key);
  }

  getState(kind: string, key: string): EntryState | undefined {
    return this.#entries.getState(kind, key);
  }

  readSome(kind: string, keys: readonly string[]): StoredValue[] {
    return this.#entries.readSome(kind, keys);
  }

  readKeys(kind: string, range: KeyRange, page?: PageOptions): Page<string> {
    return this.#entries.readKeys(kind, range, page);
  }

  readValues(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredValue> {
    return this.#entries.readValues(kind, range, page);
  }

  readEntries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredEntry> {
    return this.#entries.readEntries(kind, range, page);
  }

  count(kind: string, range: KeyRange, limit?: number): number {
    return this.#entries.count(kind, range, limit);
  }

  /** The number of entries of each kind, in order. */
  countKinds(): { kind: string; count: number }[] {
    return this.#entries.countKinds();
  }

  listKinds(): string[] {
    return this.#entries.listKinds();
  }

  asOf<T>(time: number, read: () => T): T {
    return this.#clock.asOf(time, read);
  }

  put(kind: string, key: string, put: Put): PutResult {
    return this.#writes.put(kind, key, put);
  }

  insertAll(kind: string, entries: readonly StoredValue[]): boolean {
    return this.#writes.insertAll(kind, entries);
  }

  remove(kind: string, key: string): number | undefined {
    return this.#writes.remove(kind, key);
  }

  removeRange(kind: string, range: KeyRange): RangeRemoved {
    return this.#writes.removeRange(kind, range);
  }

  nextExpiry(): number | undefined {
    try {
      return this.#entries.nextExpiry();
    } catch (error) {
      // Others may have dropped the index. The next transaction restores it, so
      // that transaction must come now.
      if (isBusy(error) || this.#access.schema.isUnchanged()) throw error;
      return 0;
    }
  }

  takeSoonestPut(): number | undefined {
    return this.#writes.takeSoonestPut();
  }

  removeExpired(limit: number): number {
    return this.#writes.removeExpired(limit);
  }

  // The change log. See `ChangeLog`.

  isLogged(): boolean {
    const { schema } = this.#access;
    if (schema.isUnchanged()) return schema.hasLog;
    try {
      return this.#lookAtSchema();
    } catch (error) {
      // It has another shape or another codec, so it is not a store's file.
      if (error instanceof StoreError) return false;
      throw error;
    }
  }

  #lookAtSchema(): boolean {
    const { schema } = this.#access;
    const { hasLog } = this.snapshot(() => schema.look());
    if (this.isReadOnly) schema.adaptReads();
    return hasLog;
  }

  headRevision(): number {
    return this.#log.headRevision();
  }

  oldestRevision(): number {
    return this.#log.oldestRevision();
  }

  readChanges(
    filter: ChangeFilter,
    after: number,
    until: number,
    limit: number,
  ): ChangePage {
    return this.#log.readChanges(filter, after, until, limit);
  }

  readChangesBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
  ): ChangePage {
    return this.#log.readChangesBack(filter, before, after, limit);
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

  writtenKinds(since: number): ReadonlySet<string> | undefined {
    return this.#log.writtenKinds(since);
  }

  getPrevious(revision: number): Previous | undefined {
    return this.#log.getPrevious(revision);
  }

  getMark(revision: number): number | undefined {
    return this.#log.getMark(revision);
  }

  getTime(revision: number): Date | undefined {
    return this.#log.getTime(revision);
  }

  prune(until: number): void {
    this.#log.prune(until);
  }

  // Transactions. See `SqliteTransactions`.

  begin(): void {
    this.#transactions.begin();
  }

  commit(): void {
    this.#transactions.commit();
  }

  rollBack(): void {
    this.#transactions.rollBack();
  }

  save(): void {
    this.#transactions.save();
  }

  undo(): void {
    this.#transactions.undo();
  }

  release(): void {
    this.#transactions.release();
  }

  openMoment(): Moment {
    return this.#transactions.openMoment();
  }

  snapshot<T>(read: () => T): T {
    return this.#transactions.snapshot(read);
  }

  isFailure(error: unknown): boolean {
    return error instanceof SqlError;
  }

  isBusy(error: unknown): boolean {
    return isBusy(error);
  }

  errorOf(action: string, error: unknown): unknown {
    const problem = mayBeMisplaced(error)
      ? this.#access.files.problem()
      : undefined;
    return problem === undefined
      ? storeError(action, error)
      : new StoreError("STORAGE", `Cannot ${action}: ${problem}`, {
        cause: error,
      });
  }

  // The file.

  look(action: string): void {
    const { files, schema } = this.#access;
    files.look(action);
    // Another process may have upgraded the file to the newest format.
    if (schema.readsEarlier && !schema.isUnchanged()) this.isLogged();
  }

  /** Throws if the open file is no longer at its path. */
  assertInPlace(action: string): void {
    this.#access.files.assertInPlace(action);
  }

  get isReadOnly(): boolean {
    return this.#access.location.mode === "ro";
  }

  assertWritable(action: string): void {
    if (!this.isReadOnly) return;
    throw new StoreReadOnlyError(
      `Cannot ${action}: the store was opened read-only; open it with mode=rwc`,
    );
  }

  /** Whether the file had a reliable change log at the last look. */
  get hasLog(): boolean {
    return this.#access.schema.hasLog;
  }

  assertWatchable(action: string): void {
    if (!this.isReadOnly || this.hasLog || this.#hasLogNow(action)) return;
    throw new StoreReadOnlyError(
      `Cannot ${action}: the file has no change log, and was opened read-only; open it once with mode=rwc`,
    );
  }

  /** The same at present, because others may have created a log since. */
  #hasLogNow(action: string): boolean {
    try {
      return this.isLogged();
    } catch (error) {
      throw storeError(action, error);
    }
  }

  openSnapshot(): Snapshot {
    const { openReader } = this.#access;
    if (!openReader) return listedSnapshot(this);
    const reader = this.#readers.begin(openReader);
    const clock = new Clock();
    clock.stop();
    const entries = new EntryReads(reader, clock);
    return {
      listKinds: () => entries.listKinds(),
      readEntries: (kind, range) => entries.readEntries(kind, range),
      close: () => this.#readers.end(reader),
    };
  }

  openVerification(): Verifiable {
    const moment = this.openMoment();
    const { openReader, files } = this.#access;
    // A second reader would exclude the writer, or is impossible, or would read
    // another file.
    if (!openReader || !this.#hasWal() || !files.areInPlace()) {
      return new SqliteVerification(this.#database, this.#access, moment);
    }
    moment.close();
    const reader = this.#readers.begin(openReader);
    return new SqliteVerification(reader, this.#access, {
      keepsWritesOut: false,
      close: () => this.#readers.end(reader),
    });
  }

  /** Whether there is a write-ahead log, according to the open transaction. */
  #hasWal(): boolean {
    return this.#database.get(GET_JOURNAL_MODE)?.journal_mode === "wal";
  }

  /**
   * Copies the whole database, at this moment, into an existing empty file.
   * Throws at once if a lock is in the way.
   */
  copyTo(path: string): Promise<void> {
    if (this.#database.copiesItself) {
      beginRead(this.#database);
      return this.#copyInTransaction(path);
    }
    const name = copyName(this.#access.location, path);
    this.#access.schema.readPlain(() => {
      this.#database.run("VACUUM INTO ?", name);
    });
    return Promise.resolve();
  }

  async #copyInTransaction(path: string): Promise<void> {
    try {
      await this.#database.copyTo(path);
    } finally {
      this.rollBack();
    }
  }

  /** Empties the write-ahead log, if nobody is in the way. Returns whether that is done. */
  emptyLog(): boolean {
    return this.#access.checkpointer?.emptyLog() ?? emptyLog(this.#database);
  }

  close(): void {
    this.#access.checkpointer?.close();
    this.#readers.endAll();
    closeDatabase(this.#database, this.#access.files);
  }
}

/** Whether SQLite fails like this if its files are no longer at their paths. */
function mayBeMisplaced(error: unknown): boolean {
  return error instanceof SqlError &&
    (error.failure === "read_only" || error.failure === "io");
}
