/**
 * A store's storage on one SQLite connection: every call as its statement.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { ChangeType } from "../../contract/watch.ts";
import { quote } from "../../base/messages.ts";
import {
  StoreCorruptError,
  StoreError,
  StoreReadOnlyError,
  StoreTooLargeError,
  WatchOverflowError,
} from "../../contract/errors.ts";
import {
  isInRange,
  type KeyRange,
  rangePast,
  rangeUpTo,
} from "../../keys/key_range.ts";
import { LAST_NUMBER, nextVersion } from "../../local/last_number.ts";
import {
  type Page,
  PAGE_BYTES,
  PAGE_ENTRIES,
  type PageOptions,
} from "../../engine/page.ts";
import type {
  ChangedKey,
  ChangePage,
  Moment,
  Origin,
  Previous,
  PutResult,
  Snapshot,
  Storage,
  StoredChange,
  StoredEntry,
  StoredValue,
  Verifiable,
} from "../../local/storage.ts";
import { boundedRows, type Select } from "./bounded_rows.ts";
import {
  SqliteVerification,
  type VerifiedFile,
} from "./sqlite_verification.ts";
import { type Checkpointer, emptyLog } from "../connection/checkpoints.ts";
import type { Database } from "../connection/database.ts";
import {
  copyName,
  type DatabaseLocation,
  type Row,
  SqlError,
  type SqlValue,
} from "../driver/driver.ts";
import {
  isBusy,
  isTooBig,
  LONGEST_ROW,
  storeError,
} from "../connection/failure.ts";
import { type EntryWrite, undoneError, writeGuarded } from "./guarded_write.ts";
import type { KnownSchema } from "../format/known_schema.ts";
import { listedSnapshot } from "./listed_snapshot.ts";
import {
  type Columns,
  COMPARE_VALUE,
  COUNT_CHANGES,
  COUNT_KINDS,
  countRange,
  DELETE_ENTRY,
  ENTRIES_AT_ONCE,
  GET_ENTRY,
  GET_JOURNAL_MODE,
  GET_PREVIOUS,
  GET_SCHEMA_VERSION,
  GET_SIZE,
  GET_VALUE,
  GET_VERSION,
  HEAD_REVISION,
  INSERT_ENTRIES,
  INSERT_ENTRY,
  LIST_CHANGED_KINDS,
  LIST_KINDS,
  OLDEST_REVISION,
  PRUNE_LOG,
  rangeParams,
  selectChangedKeys,
  selectChanges,
  selectRange,
  UPDATE_ENTRY,
  type WholeValues,
} from "./queries.ts";
import { toDate } from "../format/time.ts";

/** What may be done with the file. */
export interface SqliteAccess extends VerifiedFile {
  readonly location: DatabaseLocation;
  readonly schema: KnownSchema;
  /** Opens another connection, to read; absent if there can be none. */
  readonly openReader?: () => Database;
  /** Makes the checkpoints; absent if SQLite makes them by itself. */
  readonly checkpointer?: Checkpointer;
}

/** The storage in a file of the current format. */
export class SqliteStorage implements Storage {
  readonly #database: Database;
  readonly #access: SqliteAccess;
  /** What snapshots that are open read through. */
  readonly #readers = new Set<SqliteStorage>();
  /**
   * The newest revision as the open write transaction has it, since nothing
   * was written after it was read.
   */
  #head: number | undefined;
  #isWriting = false;
  /** How many moments are read in the transaction that is open for them. */
  #moments = 0;

  /** Takes over a connection. */
  constructor(database: Database, access: SqliteAccess) {
    this.#database = database;
    this.#access = access;
  }

  // Entries.

  getValue(kind: string, key: string): Uint8Array | undefined {
    const row = this.#database.get(GET_VALUE, kind, key);
    return row && valueOf(row);
  }

  getEntry(kind: string, key: string): StoredEntry | undefined {
    const row = this.#database.get(GET_ENTRY, kind, key);
    return row && toEntry(row);
  }

  getVersion(kind: string, key: string): number {
    const row = this.#database.get(GET_VERSION, kind, key);
    return row ? versionOf(row) : 0;
  }

  readKeys(
    kind: string,
    range: KeyRange,
    { limit = PAGE_ENTRIES, reverse = false }: PageOptions = {},
  ): Page<string> {
    const rows = this.#database.all(
      selectRange("key", range, reverse, "all"),
      ...rangeParams(kind, range),
      limit,
    );
    const keys = rows.map((row) => nameOf(row.key));
    const last = keys.length === limit ? keys.at(-1) : undefined;
    const rest = last === undefined
      ? undefined
      : restPast(range, last, reverse);
    return { items: keys, rest };
  }

  readValues(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredValue> {
    return this.#readPage("value", toValue, kind, range, page);
  }

  readEntries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredEntry> {
    return this.#readPage("entry", toEntry, kind, range, page);
  }

  /** How many entries each kind has, in order. */
  countKinds(): { kind: string; count: number }[] {
    return this.#database.all(COUNT_KINDS).map(({ kind, count }) => ({
      kind: nameOf(kind),
      count: count as number,
    }));
  }

  count(kind: string, range: KeyRange, limit?: number): number {
    const row = this.#database.get(
      countRange(range),
      ...rangeParams(kind, range),
      sqlLimit(limit),
    );
    return row!.count as number;
  }

  listKinds(): string[] {
    return this.#database.all(LIST_KINDS).map((row) => nameOf(row.kind));
  }

  put(
    kind: string,
    key: string,
    value: Uint8Array,
    origin: Origin = {},
  ): PutResult {
    try {
      return this.#put(kind, key, value, origin);
    } catch (error) {
      throw isTooBig(error) ? this.#tooBig(kind, key, value, error) : error;
    }
  }

  #put(
    kind: string,
    key: string,
    value: Uint8Array,
    { version: first = 1, updatedAt }: Origin,
  ): PutResult {
    const row = this.#database.get(COMPARE_VALUE, value, kind, key);
    if (!row) {
      const time = updatedAt?.toISOString() ?? null;
      const written = this.#write(
        { kind, key, type: "create", version: first, value },
        INSERT_ENTRY,
        [kind, key, value, first, time],
      );
      return { status: "created", version: first, ...written };
    }
    const before = versionOf(row);
    if (row.same) return { status: "unchanged", version: before };
    const version = nextVersion(kind, key, before);
    const written = this.#write(
      { kind, key, type: "update", version, value },
      UPDATE_ENTRY,
      [value, kind, key],
    );
    return { status: "updated", version, ...written };
  }

  /** Not a failure of the transaction: SQLite has written nothing, and goes on. */
  #tooBig(
    kind: string,
    key: string,
    value: Uint8Array,
    cause: SqlError,
  ): StoreTooLargeError {
    const size = value.byteLength;
    const before = size < LONGEST_ROW ? this.#sizeOf(kind, key) : undefined;
    const what = before === undefined
      ? `its value of ${size} bytes, with its kind and key of ${
        Buffer.byteLength(kind) + Buffer.byteLength(key)
      } bytes, is too much for a row: SQLite's limit is ${LONGEST_ROW} bytes; split the value, or use shorter names`
      : `its value of ${size} bytes, and the one before of ${before} bytes, are too much for a row of the change log, which holds both: SQLite's limit is ${LONGEST_ROW} bytes; delete the entry first, or split the value`;
    return new StoreTooLargeError(`Cannot write ${quote(kind, key)}: ${what}`, {
      cause,
    });
  }

  /** How many bytes an entry's value has. No entry has a name that is too big. */
  #sizeOf(kind: string, key: string): number | undefined {
    try {
      const row = this.#database.get(GET_SIZE, kind, key);
      return row?.size as number | undefined;
    } catch (error) {
      if (isTooBig(error)) return undefined;
      throw error;
    }
  }

  readonly insertsAtOnce = ENTRIES_AT_ONCE;

  /** Inserts entries with one statement, if there is none from their first key to their last. */
  insertAll(kind: string, entries: readonly StoredValue[]): boolean {
    const [first] = entries;
    const last = entries[entries.length - 1];
    const range = {
      lower: { key: first.key, inclusive: true },
      upper: { key: last.key, inclusive: true },
    };
    if (this.count(kind, range, 1) > 0) return false;
    // One by one it is known what triggers of others do.
    if (this.#access.schema.foreignTriggers.length > 0) return false;
    this.#head = undefined;
    const params = entries.flatMap(({ key, value }) => [kind, key, value]);
    try {
      const written = this.#database.run(INSERT_ENTRIES, ...params);
      if (written === entries.length) return true;
      throw undoneError({ kind, key: first.key }, []);
    } catch (error) {
      // One by one it is known which. SQLite has written none of them.
      if (isTooBig(error)) return false;
      throw error;
    }
  }

  remove(kind: string, key: string): boolean {
    // Whatever its version is, as plain SQL may have made it.
    const params = [kind, key];
    if (this.#access.schema.foreignTriggers.length === 0) {
      this.#head = undefined;
      return this.#database.run(DELETE_ENTRY, ...params) > 0;
    }
    if (!this.#database.get(GET_VERSION, ...params)) return false;
    this.#write({ kind, key, type: "delete" }, DELETE_ENTRY, params);
    return true;
  }

  /** Writes an entry; gives the revision of the change if it may not be the newest. */
  #write(
    write: EntryWrite,
    sql: string,
    params: SqlValue[],
  ): { readonly revision?: number } {
    const { foreignTriggers } = this.#access.schema;
    const run = () => {
      this.#head = undefined;
      // The triggers log it: they were looked at in this transaction.
      if (this.#database.run(sql, ...params) === 1) return;
      throw undoneError(write, foreignTriggers);
    };
    if (foreignTriggers.length > 0) {
      const revision = this.headRevision();
      const guarded = { write, run, revision };
      return writeGuarded(this.#database, guarded, foreignTriggers);
    }
    run();
    return {};
  }

  #readPage<T extends StoredValue>(
    columns: Columns,
    toItem: (row: Row) => T,
    kind: string,
    range: KeyRange,
    { limit, bytes = PAGE_BYTES, reverse = false }: PageOptions = {},
  ): Page<T> {
    const select = (range: KeyRange, values: WholeValues): Select => ({
      sql: selectRange(columns, range, reverse, values),
      params: rangeParams(kind, range),
    });
    const { rows, last } = boundedRows(this.#database, {
      small: select(range, "small"),
      wholeUpTo: (last) =>
        select(
          last ? rangeUpTo(range, nameOf(last.key), reverse) : range,
          "all",
        ),
      limit,
      bytes,
    });
    const items = rows.map(toItem);
    return { items, rest: last && restPast(range, nameOf(last.key), reverse) };
  }

  // The change log.

  isLogged(): boolean {
    const { schema } = this.#access;
    if (schema.isUnchanged()) return schema.hasLog;
    try {
      return this.snapshot(() => schema.look().hasLog);
    } catch (error) {
      // Of another shape, or codec: no store's.
      if (error instanceof StoreError) return false;
      throw error;
    }
  }

  headRevision(): number {
    if (this.#head !== undefined) return this.#head;
    const { revision } = this.#database.get(HEAD_REVISION)!;
    if (this.#isWriting && Number(revision) > LAST_NUMBER) {
      throw pastLastRevision();
    }
    const head = integerOf("revision", revision);
    if (this.#isWriting) this.#head = head;
    return head;
  }

  oldestRevision(): number {
    return integerOf("revision", this.#database.get(OLDEST_REVISION)!.revision);
  }

  readChanges(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
    limit: number,
  ): ChangePage {
    const select = (until: number, values: WholeValues): Select => ({
      sql: selectChanges(range, values),
      params: [after, until, ...rangeParams(kind, range)],
    });
    const { rows, last } = boundedRows(this.#database, {
      small: select(until, "small"),
      wholeUpTo: (last) => select(last ? revisionOf(last) : until, "all"),
      limit: Math.min(limit, PAGE_ENTRIES),
      bytes: PAGE_BYTES,
    });
    const changes = rows.map(toChange);
    assertAscending(after, changes);
    const cursor = last ? revisionOf(last) : until;
    this.#assertGapless(after, cursor);
    return { changes, cursor };
  }

  listChangedKeys(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
  ): ChangedKey[] {
    const keys = this.#database.all(
      selectChangedKeys(range),
      after,
      until,
      ...rangeParams(kind, range),
    ).map((row) => ({
      key: nameOf(row.key),
      revision: revisionOf(row),
    }));
    this.#assertGapless(after, until);
    return keys;
  }

  listChangedKinds(after: number, until: number): string[] {
    const kinds = this.#database.all(LIST_CHANGED_KINDS, after, until)
      .map((row) => row.kind as string);
    this.#assertGapless(after, until);
    return kinds;
  }

  /**
   * Throws `WatchOverflowError` where somebody took changes out of the log, but
   * the oldest: of those the caller tells. What is there now was there when the
   * changes were read before.
   */
  #assertGapless(after: number, until: number): void {
    // From the one that was seen last on, which tells that the log did not
    // begin anew meanwhile.
    const { count } = this.#database.get(COUNT_CHANGES, after, until)!;
    if (count === until - after + 1) return;
    const oldest = this.oldestRevision();
    if (after < oldest - 1) return;
    if (after === oldest - 1 && count === until - after) return;
    throw gapError(after, until);
  }

  getPrevious(revision: number): Previous | undefined {
    const row = this.#database.get(GET_PREVIOUS, revision);
    if (!row) {
      if (revision < this.oldestRevision()) return undefined;
      throw gapError(revision - 1, revision);
    }
    const type = row.type as ChangeType;
    if (type === "create") return undefined;
    const version = versionOf(row);
    return {
      version: type === "update" ? version - 1 : version,
      value: blobOf(row.previous),
    };
  }

  prune(until: number): void {
    this.#database.run(PRUNE_LOG, until);
  }

  // Transactions.

  begin(): void {
    // With a rollback journal SQLite looks itself; with a write-ahead log what
    // is written would be lost.
    this.#access.files.assertInPlace("write");
    do this.#database.run("BEGIN IMMEDIATE"); while (this.#broughtBack());
    this.#isWriting = true;
  }

  /** Brings the file back to the format, if others changed it; tells whether it ended the transaction for that. */
  #broughtBack(): boolean {
    try {
      if (!this.#access.schema.bringBack()) return false;
      this.#database.run("COMMIT");
      return true;
    } catch (error) {
      this.rollBack();
      throw error;
    }
  }

  commit(): void {
    this.#database.run("COMMIT");
    this.#endWriting();
    const { files, checkpointer } = this.#access;
    // Again, for they may have been replaced meanwhile.
    files.assertInPlace("write");
    checkpointer?.afterCommit(files.walSize);
  }

  look(action: string): void {
    this.#access.files.look(action);
  }

  rollBack(): void {
    this.#endWriting();
    this.#database.rollBack();
  }

  #endWriting(): void {
    this.#isWriting = false;
    this.#head = undefined;
  }

  save(): void {
    this.#database.run("SAVEPOINT job");
  }

  undo(): void {
    this.#head = undefined;
    this.#database.run("ROLLBACK TO job");
  }

  release(): void {
    this.#database.run("RELEASE job");
  }

  /** Begins a transaction that only reads, as of this moment. `rollBack` ends it. */
  #beginRead(): void {
    this.#database.run("BEGIN");
    try {
      // The first read takes the snapshot; this one needs no table.
      this.#database.get(GET_SCHEMA_VERSION);
    } catch (error) {
      this.rollBack();
      throw error;
    }
  }

  snapshot<T>(read: () => T): T {
    // It is in one already.
    if (this.#moments > 0) return read();
    this.#database.run("BEGIN");
    try {
      return read();
    } finally {
      // There is nothing to commit, and a rollback hides no failure.
      this.#database.rollBack();
    }
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

  get isReadOnly(): boolean {
    return this.#access.location.mode === "ro";
  }

  assertWritable(action: string): void {
    if (!this.isReadOnly) return;
    throw new StoreReadOnlyError(
      `Cannot ${action}: the store was opened read-only; open it with mode=rwc`,
    );
  }

  /** Whether the file has a change log to rely on, as it was looked at last. */
  get hasLog(): boolean {
    return this.#access.schema.hasLog;
  }

  assertWatchable(): void {
    if (!this.isReadOnly || this.hasLog || this.#hasLogNow()) return;
    throw new StoreReadOnlyError(
      "Cannot watch: the file has no change log, and was opened read-only; open it once with mode=rwc",
    );
  }

  /** The same, as others may have made one since. */
  #hasLogNow(): boolean {
    try {
      return this.isLogged();
    } catch (error) {
      throw storeError("watch", error);
    }
  }

  openSnapshot(): Snapshot {
    const { openReader } = this.#access;
    if (!openReader) return listedSnapshot(this);
    const reader = this.#beginReader(openReader);
    return {
      listKinds: () => reader.listKinds(),
      readEntries: (kind, range) => reader.readEntries(kind, range),
      close: () => this.#closeReader(reader),
    };
  }

  /** Begins a read, as of this moment, through a connection of its own. */
  #beginReader(openReader: () => Database): SqliteStorage {
    const reader = new SqliteStorage(openReader(), this.#access);
    try {
      // Else it may be another file that is now at the path.
      this.#access.files.assertInPlace("read");
      reader.#beginRead();
    } catch (error) {
      reader.#database.close();
      throw error;
    }
    this.#readers.add(reader);
    return reader;
  }

  #closeReader(reader: SqliteStorage): void {
    if (!this.#readers.delete(reader)) return;
    reader.rollBack();
    reader.#close();
  }

  /**
   * Copies the whole database, as of this moment, into a file that is there and
   * empty. Throws at once where a lock is in the way.
   */
  copyTo(path: string): Promise<void> {
    if (this.#database.copiesItself) {
      this.#beginRead();
      return this.#copyInTransaction(path);
    }
    const name = copyName(this.#access.location, path);
    this.#database.run("VACUUM INTO ?", name);
    return Promise.resolve();
  }

  async #copyInTransaction(path: string): Promise<void> {
    try {
      await this.#database.copyTo(path);
    } finally {
      this.rollBack();
    }
  }

  /** Throws if the file that is open is no longer the one at its path. */
  assertInPlace(action: string): void {
    this.#access.files.assertInPlace(action);
  }

  /** Empties the write-ahead log, if nobody is in the way; tells whether that is done. */
  emptyLog(): boolean {
    return this.#access.checkpointer?.emptyLog() ?? emptyLog(this.#database);
  }

  openVerification(): Verifiable {
    const moment = new SqliteVerification(
      this.#database,
      this.#access,
      this.openMoment(),
    );
    const { openReader, files } = this.#access;
    // A second reader would keep the writer out, or there can be none, or it
    // would read another file.
    if (!openReader || !this.#hasWal() || !files.areInPlace()) return moment;
    moment.close();
    const reader = this.#beginReader(openReader);
    return new SqliteVerification(reader.#database, this.#access, {
      keepsWritesOut: false,
      close: () => this.#closeReader(reader),
    });
  }

  /** Whether there is a write-ahead log, as the open transaction has it. */
  #hasWal(): boolean {
    return this.#database.get(GET_JOURNAL_MODE)?.journal_mode === "wal";
  }

  openMoment(): Moment {
    if (this.#moments === 0) this.#beginRead();
    this.#moments++;
    return { keepsWritesOut: true, close: () => this.#closeMoment() };
  }

  #closeMoment(): void {
    if (--this.#moments === 0) this.rollBack();
  }

  close(): void {
    for (const reader of this.#readers) this.#closeReader(reader);
    this.#close();
  }

  #close(): void {
    if (!this.#access.files.areSafeToClose) return this.#database.abandon();
    try {
      this.#database.close();
    } catch (error) {
      throw storeError("close the store", error);
    }
  }
}

/** Whether SQLite fails so if its files are not at their paths any more. */
function mayBeMisplaced(error: unknown): boolean {
  return error instanceof SqlError &&
    (error.failure === "read_only" || error.failure === "io");
}

// What a row holds, unless it is damaged, or no store wrote it: then it is not
// taken for something else.

function toEntry(row: Row): StoredEntry {
  return {
    ...toValue(row),
    version: versionOf(row),
    updatedAt: toDate(row.updated_at),
  };
}

function toValue(row: Row): StoredValue {
  return { key: nameOf(row.key), value: valueOf(row) };
}

function toChange(row: Row): StoredChange {
  return {
    revision: revisionOf(row),
    type: row.type as ChangeType,
    ...toValue(row),
    version: versionOf(row),
  };
}

function nameOf(name: SqlValue): string {
  if (typeof name === "string") return name;
  throw unreadable("a kind or a key is no text, or holds a NUL");
}

function valueOf(row: Row): Uint8Array {
  return blobOf(row.value);
}

function blobOf(value: SqlValue): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw unreadable("a value is missing");
}

function revisionOf({ revision }: Row): number {
  return integerOf("revision", revision);
}

function versionOf({ version }: Row): number {
  return integerOf("version", version);
}

function integerOf(what: string, value: SqlValue): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw unreadable(`a ${what} is ${value}, no safe integer`);
}

// Whoever reads page by page goes on from the last row of each: in a damaged
// tree it may lead back, and reading would never end.

function restPast(range: KeyRange, key: string, reverse: boolean): KeyRange {
  if (!isInRange(range, key)) throw unreadable("the keys are not in order");
  return rangePast(range, key, reverse);
}

function assertAscending(
  after: number,
  changes: readonly { readonly revision: number }[],
): void {
  let before = after;
  for (const { revision } of changes) {
    if (revision <= before) throw unreadable("the changes are not in order");
    before = revision;
  }
}

function unreadable(problem: string): StoreCorruptError {
  return new StoreCorruptError(
    `Cannot read what is stored: ${problem}, as plain SQL or damage can make it; find it by verify(), and mend it by SQL`,
  );
}

function pastLastRevision(): StoreError {
  return new StoreError(
    "STORAGE",
    `Cannot write: the store's last revision is ${LAST_NUMBER}, and this change would have a later one; export the entries, and import them into a new file`,
  );
}

function gapError(after: number, until: number): WatchOverflowError {
  return new WatchOverflowError(
    "broken",
    `Cannot watch after revision ${after}: somebody took changes up to ${until} out of the change log; read the kind again and watch from there, and see what verify() finds`,
  );
}

function sqlLimit(limit = Infinity): number {
  return limit === Infinity ? -1 : limit;
}
