/**
 * Writes entries. The file's triggers log each write, and this code informs the
 * change log.
 *
 * @module
 */
import { utf8Length } from "../../base/bytes.ts";
import { quote } from "../../base/messages.ts";
import { StoreError, StoreTooLargeError } from "../../contract/errors.ts";
import { LAST_NUMBER, nextVersion } from "../../engine/last_number.ts";
import type { StoredValue } from "../../engine/entries.ts";
import { compareKeys } from "../../keys/key_order.ts";
import type { KeyRange } from "../../keys/key_range.ts";
import type { Put } from "../../engine/write.ts";
import type { PutResult, RangeRemoved } from "../../local/storage.ts";
import type { Database } from "../connection/database.ts";
import { isTooBig, LONGEST_ROW } from "../connection/failure.ts";
import type { Row, SqlError, SqlValue } from "../driver/driver.ts";
import type { KnownSchema } from "../format/known_schema.ts";
import {
  checksumOf,
  LARGE_BYTES,
  SET_CHECKSUM,
} from "../format/large_values.ts";
import type { ChangeLog } from "./change_log.ts";
import type { Clock } from "./clock.ts";
import type { EntryReads } from "./entry_reads.ts";
import { type EntryWrite, undoneError, writeGuarded } from "./guarded_write.ts";
import {
  COMPARE_ENTRY,
  DELETE_ENTRY,
  DELETE_EXPIRED,
  DELETE_THERE,
  GET_SIZE,
  HAS_ENTRY,
  INSERT_ENTRIES,
  INSERT_ENTRY,
  LIST_EXPIRED,
  SET_REMOVAL,
  SET_TIME,
  UPDATE_ENTRY,
  UPDATE_EXPIRING,
  UPDATE_GUESSED,
} from "./queries.ts";
import { nameOf, revisionOf, versionOf } from "./rows.ts";
import { VersionGuesses } from "./version_guesses.ts";

/** The type of a removal in the log: whether the entry had expired. */
type Removal = "delete" | "expire";

/** The parts that writes need. */
export interface EntryWritesConfig {
  readonly database: Database;
  readonly schema: KnownSchema;
  readonly entries: EntryReads;
  readonly log: ChangeLog;
  readonly clock: Clock;
}

/** The key after which a kind has no entries. */
interface EmptyPast {
  readonly kind: string;
  readonly key: string;
  /** The log's `moves` at that time. */
  readonly moves: number;
}

/**
 * Writes the entries of one connection, in its write transaction. It has the
 * writing methods of `Entries`.
 */
export class EntryWrites {
  readonly #database: Database;
  readonly #schema: KnownSchema;
  readonly #entries: EntryReads;
  readonly #log: ChangeLog;
  readonly #clock: Clock;
  readonly #guesses = new VersionGuesses();
  /** The last inserted key. Its kind has no entry after it, while nothing else moves. */
  #emptyPast: EmptyPast | undefined;
  #soonestPut: number | undefined;
  /** How many of the first expired entries the triggers of others have kept. */
  #kept = 0;

  /** Takes the connection, the file's schema, and the readers. */
  constructor(config: EntryWritesConfig) {
    this.#database = config.database;
    this.#schema = config.schema;
    this.#entries = config.entries;
    this.#log = config.log;
    this.#clock = config.clock;
  }

  put(kind: string, key: string, put: Put): PutResult {
    try {
      const result = this.#updateGuessed(kind, key, put) ??
        this.#putCompared(kind, key, put);
      this.#setChecksum(put.value, result.revision);
      return result;
    } catch (error) {
      throw isTooBig(error) ? this.#tooBig(kind, key, put.value, error) : error;
    }
  }

  /**
   * If the value is large and this write is a change, the triggers have left a
   * place for the checksum in the log.
   */
  #setChecksum(value: Uint8Array, revision: number): void {
    if (value.byteLength < LARGE_BYTES) return;
    this.#database.run(SET_CHECKSUM, checksumOf(value), revision);
  }

  /**
   * Writes with one statement, if the entry is as this connection left it, and
   * only its value changes.
   */
  #updateGuessed(kind: string, key: string, put: Put): PutResult | undefined {
    if (typeof put.expiresAt === "number") return undefined;
    if (this.#schema.foreignTriggers.length > 0) return undefined;
    const guess = this.#guesses.find(kind, key);
    if (!guess || guess.version >= LAST_NUMBER) return undefined;
    const updated = this.#database.run(
      UPDATE_GUESSED,
      put.value,
      this.#clock.nowText(),
      this.#log.nextRevision(),
      kind,
      key,
      guess.version,
    );
    if (updated === 0) return undefined;
    this.#log.noteWrites(kind, updated);
    const version = ++guess.version;
    const revision = this.#log.writtenRevision();
    return { status: "updated", version, revision };
  }

  #putCompared(kind: string, key: string, put: Put): PutResult {
    const found = this.#findThere(kind, key, put.value);
    const result = found
      ? this.#update(kind, key, put, found)
      : this.#create(kind, key, put);
    this.#notePut(put, found);
    this.#guesses.note(kind, key, result.version);
    return result;
  }

  /** Finds the entry. An expired one is removed. */
  #findThere(kind: string, key: string, value: Uint8Array): Row | undefined {
    const time = this.#clock.now();
    const row = this.#database.get(COMPARE_ENTRY, value, time, kind, key);
    if (!row || row.there) return row;
    this.#remove(kind, key, "expire");
    return undefined;
  }

  #create(kind: string, key: string, put: Put): PutResult {
    const { value, origin: { version = 1, updatedAt } = {} } = put;
    const expiresAt = put.expiresAt === "keep" ? null : put.expiresAt ?? null;
    const time = updatedAt?.toISOString() ?? this.#clock.nowText();
    const revision = this.#write(
      { kind, key, type: "create", version, value, expiresAt },
      INSERT_ENTRY,
      [kind, key, value, version, time, this.#log.nextRevision(), expiresAt],
    );
    if (updatedAt) this.#database.run(SET_TIME, revision);
    return { status: "created", version, revision };
  }

  #update(kind: string, key: string, put: Put, found: Row): PutResult {
    const { value, expiresAt: next = null } = put;
    const before = versionOf(found);
    const expiresAt = next === "keep" ? found.expires_at : next;
    const keepsExpiry = expiresAt === found.expires_at;
    if (found.same && keepsExpiry) {
      const revision = revisionOf(found);
      return { status: "unchanged", version: before, revision };
    }
    const version = nextVersion(kind, key, before);
    const time = this.#clock.nowText();
    const params = [time, this.#log.nextRevision(), kind, key];
    const revision = this.#write(
      { kind, key, type: "update", version, value, expiresAt },
      keepsExpiry ? UPDATE_ENTRY : UPDATE_EXPIRING,
      keepsExpiry ? [value, ...params] : [value, expiresAt, ...params],
    );
    return { status: "updated", version, revision };
  }

  #notePut({ expiresAt }: Put, found: Row | undefined): void {
    const at = expiresAt === "keep" ? found?.expires_at : expiresAt;
    if (typeof at !== "number") return;
    this.#soonestPut = Math.min(this.#soonestPut ?? Infinity, at);
  }

  takeSoonestPut(): number | undefined {
    const soonest = this.#soonestPut;
    this.#soonestPut = undefined;
    return soonest;
  }

  /** This is not a failure of the transaction: SQLite has written nothing, and goes on. */
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
        utf8Length(kind) + utf8Length(key)
      } bytes, is too much for a row: SQLite's limit is ${LONGEST_ROW} bytes; split the value, or use shorter names`
      : `its value of ${size} bytes, and the one before of ${before} bytes, are too much for a row of the entry or of the change log: SQLite's limit is ${LONGEST_ROW} bytes; split the value`;
    return new StoreTooLargeError(`Cannot write ${quote(kind, key)}: ${what}`, {
      cause,
    });
  }

  /** The bytes of an entry's value. Nobody has an entry whose name is too big. */
  #sizeOf(kind: string, key: string): number | undefined {
    try {
      const row = this.#database.get(GET_SIZE, kind, key);
      return row?.size as number | undefined;
    } catch (error) {
      if (isTooBig(error)) return undefined;
      throw error;
    }
  }

  insertAll(kind: string, entries: readonly StoredValue[]): boolean {
    // If others have triggers, only single writes show their effects.
    if (this.#schema.foreignTriggers.length > 0) return false;
    const { key: first } = entries[0];
    const { key: last } = entries[entries.length - 1];
    const isRestEmpty = this.#isRestEmpty(kind, first);
    const upper = { key: last, inclusive: true };
    const lower = { key: first, inclusive: true };
    if (!isRestEmpty && !this.#entries.isEmpty(kind, { lower, upper })) {
      return false;
    }
    const next = this.#log.nextRevision();
    // Only single writes show which one would exceed the largest revision.
    if (next + entries.length > LAST_NUMBER) return false;
    const params: SqlValue[] = [kind, this.#clock.nowText(), next];
    for (const { key, value } of entries) params.push(key, value);
    try {
      const written = this.#database.run(INSERT_ENTRIES, ...params);
      this.#log.noteWrites(kind, written);
      if (written !== entries.length) {
        throw undoneError({ kind, key: first }, []);
      }
      entries.forEach(({ value }, i) => this.#setChecksum(value, next + i));
      const { moves } = this.#log;
      this.#emptyPast = isRestEmpty ? { kind, key: last, moves } : undefined;
      return true;
    } catch (error) {
      // SQLite has written none of them. Only single writes show which one is
      // too big.
      if (isTooBig(error)) return false;
      throw error;
    }
  }

  /** Whether a kind has no entry from a key on. Consecutive inserts check it once. */
  #isRestEmpty(kind: string, key: string): boolean {
    const known = this.#emptyPast;
    return known?.moves === this.#log.moves && known.kind === kind &&
        compareKeys(known.key, key) < 0 ||
      this.#entries.isEmpty(kind, { lower: { key, inclusive: true } });
  }

  remove(kind: string, key: string): number | undefined {
    if (this.#schema.foreignTriggers.length > 0) {
      const isThere = this.#entries.getState(kind, key) !== undefined;
      if (isThere) return this.#remove(kind, key, "delete");
    }
    const revision = this.#deleteThere(kind, key);
    if (revision !== undefined) {
      this.#setRemovals("delete", revision, revision);
      return revision;
    }
    const isLeft = this.#database.get(HAS_ENTRY, kind, key) !== undefined;
    if (isLeft) this.#remove(kind, key, "expire");
    return undefined;
  }

  /** Deletes an entry that has not expired. Returns the revision of the deletion. */
  #deleteThere(kind: string, key: string): number | undefined {
    const time = this.#clock.now();
    const removed = this.#database.run(DELETE_THERE, kind, key, time);
    if (removed === 0) return undefined;
    this.#log.noteWrites(kind, removed);
    return this.#log.writtenRevision();
  }

  removeRange(kind: string, range: KeyRange): RangeRemoved {
    const { items, rest } = this.#entries.readKeys(kind, range);
    if (this.#schema.foreignTriggers.length > 0) {
      for (const key of items) this.remove(kind, key);
    } else this.#removeAll(kind, items);
    return { count: items.length, rest };
  }

  /** Removes existing entries. Nobody else logs a removal in between. */
  #removeAll(kind: string, keys: readonly string[]): void {
    const before = this.#log.headRevision();
    for (const key of keys) this.#deleteThere(kind, key);
    this.#setRemovals("delete", before + 1, this.#log.headRevision());
  }

  removeExpired(limit: number): number {
    const most = limit === Infinity ? -1 : limit;
    const time = this.#clock.now();
    const rows = this.#database.all(LIST_EXPIRED, time, most, this.#kept);
    const areNamed = rows.every(({ kind, key }) =>
      kind !== null && key !== null
    );
    return areNamed
      ? this.#removeNamed(rows, limit)
      : this.#removeUnnamed(time, most);
  }

  /**
   * Removes them one by one. An entry that triggers of others keep is skipped,
   * so that it does not stop the rest. All skipped ones are tried again later.
   */
  #removeNamed(rows: readonly Row[], limit: number): number {
    const before = this.#log.headRevision();
    const isAlone = this.#schema.foreignTriggers.length === 0;
    for (const row of rows) {
      try {
        const [kind, key] = [nameOf(row.kind), nameOf(row.key)];
        if (isAlone) this.#delete(kind, key);
        else this.#remove(kind, key, "expire");
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        this.#kept++;
      }
    }
    // Nobody else logged a removal in between.
    if (isAlone) {
      this.#setRemovals("expire", before + 1, this.#log.headRevision());
    }
    if (rows.length < limit) this.#kept = 0;
    return rows.length;
  }

  /** For names from plain SQL that cannot be bound. */
  #removeUnnamed(time: number, limit: number): number {
    const before = this.#log.headRevision();
    const removed = this.#database.run(DELETE_EXPIRED, time, limit);
    this.#log.forgetHead();
    this.#setRemovals("expire", before + 1, this.#log.headRevision());
    return removed;
  }

  /** Removes an entry, even if it has expired. Returns the revision of the removal. */
  #remove(kind: string, key: string, type: Removal): number {
    const revision = this.#delete(kind, key);
    this.#setRemovals(type, revision, revision);
    return revision;
  }

  #delete(kind: string, key: string): number {
    const write: EntryWrite = { kind, key, type: "delete" };
    return this.#write(write, DELETE_ENTRY, [kind, key]);
  }

  /** The log gets the types of the removals according to the transaction's clock. */
  #setRemovals(type: Removal, first: number, last: number): void {
    const other = type === "expire" ? "delete" : "expire";
    this.#database.run(SET_REMOVAL, type, first, last, other);
  }

  /** Writes an entry. Returns the revision of the change. */
  #write(write: EntryWrite, sql: string, params: SqlValue[]): number {
    const { foreignTriggers } = this.#schema;
    const run = () => {
      // The triggers log it: they were checked in this transaction.
      if (this.#database.run(sql, ...params) === 1) return;
      throw undoneError(write, foreignTriggers);
    };
    if (foreignTriggers.length > 0) {
      const revision = this.#log.headRevision();
      const guarded = { write, run, revision };
      try {
        return writeGuarded(this.#database, guarded, foreignTriggers);
      } finally {
        this.#log.forgetHead();
      }
    }
    run();
    this.#log.noteWrites(write.kind, 1);
    return this.#log.writtenRevision();
  }
}
