/**
 * A store's storage on one SQLite connection: every call as its statement.
 *
 * @module
 */
import type { ChangeType } from "../contract.ts";
import { quote, StoreError, StoreReadOnlyError } from "../errors.ts";
import type { KeyRange } from "../key_range.ts";
import type {
  ChangedKey,
  Page,
  Previous,
  Storage,
  StoredChange,
  StoredEntry,
  StoredValue,
} from "../storage/storage.ts";
import type { Database } from "./database.ts";
import { type Row, SqlError } from "./driver/driver.ts";
import { isBusy, isTooBig, storeError } from "./failure.ts";
import {
  type Columns,
  COMPARE_VALUE,
  countRange,
  DELETE_ENTRY,
  GET_ENTRY,
  GET_PREVIOUS,
  GET_SIZE,
  GET_VALUE,
  GET_VERSION,
  HEAD_REVISION,
  INSERT_ENTRY,
  LIST_ALL,
  LIST_CHANGED_KINDS,
  LIST_KINDS,
  OLDEST_REVISION,
  PRUNE_LOG,
  rangeParams,
  selectChangedKeys,
  selectChanges,
  selectRange,
  UPDATE_ENTRY,
} from "./queries.ts";

/** What SQLite is built for, as a rule, in bytes (https://sqlite.org/limits.html). */
const LONGEST_ROW = 1_000_000_000;

/** What may be done with the file. */
export interface SqliteAccess {
  readonly readOnly: boolean;
  readonly hasLog: boolean;
}

/** The storage in a file of the current format. */
export class SqliteStorage implements Storage {
  readonly #database: Database;
  readonly #access: SqliteAccess;

  /** Takes over a connection. */
  constructor(database: Database, access: SqliteAccess) {
    this.#database = database;
    this.#access = access;
  }

  // Entries.

  getValue(kind: string, key: string): Uint8Array | undefined {
    const row = this.#database.get(GET_VALUE, kind, key);
    return row?.value as Uint8Array | undefined;
  }

  getEntry(kind: string, key: string): StoredEntry | undefined {
    const row = this.#database.get(GET_ENTRY, kind, key);
    return row && toEntry(row);
  }

  getVersion(kind: string, key: string): number {
    const row = this.#database.get(GET_VERSION, kind, key);
    return row ? row.version as number : 0;
  }

  listKeys(kind: string, range: KeyRange, page?: Page): string[] {
    const rows = this.#select("key", kind, range, page);
    return rows.map((row) => row.key as string);
  }

  listValues(kind: string, range: KeyRange, page?: Page): StoredValue[] {
    return this.#select("value", kind, range, page) as unknown as StoredValue[];
  }

  listEntries(kind: string, range: KeyRange, page?: Page): StoredEntry[] {
    return this.#select("entry", kind, range, page).map(toEntry);
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
    return this.#database.all(LIST_KINDS).map((row) => row.kind as string);
  }

  listAll(): (StoredValue & { readonly kind: string })[] {
    return this.#database.all(LIST_ALL) as unknown as (
      & StoredValue
      & { kind: string }
    )[];
  }

  put(
    kind: string,
    key: string,
    value: Uint8Array,
  ): ReturnType<Storage["put"]> {
    try {
      return this.#put(kind, key, value);
    } catch (error) {
      throw isTooBig(error) ? this.#tooBig(kind, key, value, error) : error;
    }
  }

  #put(
    kind: string,
    key: string,
    value: Uint8Array,
  ): ReturnType<Storage["put"]> {
    const row = this.#database.get(COMPARE_VALUE, value, kind, key);
    const version = row ? row.version as number : 0;
    if (row?.same) return { status: "unchanged", version };
    if (row) this.#database.run(UPDATE_ENTRY, value, kind, key);
    else this.#database.run(INSERT_ENTRY, kind, key, value);
    return { status: row ? "updated" : "created", version: version + 1 };
  }

  /** Not a failure of the transaction: SQLite has written nothing, and goes on. */
  #tooBig(
    kind: string,
    key: string,
    value: Uint8Array,
    cause: SqlError,
  ): StoreError {
    const row = this.#database.get(GET_SIZE, kind, key);
    const what = row && value.byteLength < LONGEST_ROW
      ? `its value of ${value.byteLength} bytes, and the one before of ${row.size} bytes, are too much for a row of the change log, which holds both: SQLite's limit is ${LONGEST_ROW} bytes; delete the entry first, or split the value`
      : `its value of ${value.byteLength} bytes is too much for a row, with the names: SQLite's limit is ${LONGEST_ROW} bytes; split the value`;
    return new StoreError(
      "STORAGE",
      `Cannot write ${quote(kind, key)}: ${what}`,
      {
        cause,
      },
    );
  }

  remove(kind: string, key: string): void {
    this.#database.run(DELETE_ENTRY, kind, key);
  }

  #select(
    columns: Columns,
    kind: string,
    range: KeyRange,
    { limit, reverse = false }: Page = {},
  ): Row[] {
    return this.#database.all(
      selectRange(columns, range, reverse),
      ...rangeParams(kind, range),
      sqlLimit(limit),
    );
  }

  // The change log.

  headRevision(): number {
    return this.#database.get(HEAD_REVISION)!.revision as number;
  }

  oldestRevision(): number {
    return this.#database.get(OLDEST_REVISION)!.revision as number;
  }

  listChanges(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
    limit: number,
  ): StoredChange[] {
    return this.#database.all(
      selectChanges(range),
      after,
      until,
      ...rangeParams(kind, range),
      limit,
    ) as unknown as StoredChange[];
  }

  listChangedKeys(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
  ): ChangedKey[] {
    return this.#database.all(
      selectChangedKeys(range),
      after,
      until,
      ...rangeParams(kind, range),
    ) as unknown as ChangedKey[];
  }

  listChangedKinds(after: number, until: number): string[] {
    return this.#database.all(LIST_CHANGED_KINDS, after, until)
      .map((row) => row.kind as string);
  }

  getPrevious(revision: number): Previous | undefined {
    const row = this.#database.get(GET_PREVIOUS, revision);
    const type = row?.type as ChangeType | undefined;
    if (!row || type === "create") return undefined;
    const version = row.version as number;
    return {
      version: type === "update" ? version - 1 : version,
      value: row.previous as Uint8Array,
    };
  }

  prune(until: number): void {
    this.#database.run(PRUNE_LOG, until);
  }

  // Transactions.

  begin(): void {
    this.#database.run("BEGIN IMMEDIATE");
  }

  commit(): void {
    this.#database.run("COMMIT");
  }

  rollBack(): void {
    this.#database.rollBack();
  }

  save(): void {
    this.#database.run("SAVEPOINT job");
  }

  undo(): void {
    this.#database.run("ROLLBACK TO job");
  }

  release(): void {
    this.#database.run("RELEASE job");
  }

  snapshot<T>(read: () => T): T {
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
    return storeError(action, error);
  }

  // The file.

  get isReadOnly(): boolean {
    return this.#access.readOnly;
  }

  assertWritable(action: string): void {
    if (!this.isReadOnly) return;
    throw new StoreReadOnlyError(
      `Cannot ${action}: the store was opened read-only; open it with mode=rwc`,
    );
  }

  assertWatchable(): void {
    if (this.#access.hasLog) return;
    throw new StoreReadOnlyError(
      "Cannot watch: the file has no change log, and was opened read-only; open it once with mode=rwc",
    );
  }

  close(): void {
    try {
      this.#database.close();
    } catch (error) {
      throw storeError("close the store", error);
    }
  }
}

function toEntry(row: Row): StoredEntry {
  const { key, value, version, updated_at } = row as unknown as
    & StoredEntry
    & { updated_at: string };
  return { key, value, version, updatedAt: new Date(updated_at) };
}

function sqlLimit(limit = Infinity): number {
  return limit === Infinity ? -1 : limit;
}
