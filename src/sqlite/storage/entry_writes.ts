/**
 * Writes entries. The file's triggers log each write, and the change log is
 * told of it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { quote } from "../../base/messages.ts";
import { StoreTooLargeError } from "../../contract/errors.ts";
import { LAST_NUMBER, nextVersion } from "../../engine/last_number.ts";
import type { StoredValue } from "../../engine/entries.ts";
import type { Origin } from "../../engine/write.ts";
import type { PutResult } from "../../local/storage.ts";
import type { Database } from "../connection/database.ts";
import { isTooBig, LONGEST_ROW } from "../connection/failure.ts";
import type { SqlError, SqlValue } from "../driver/driver.ts";
import type { KnownSchema } from "../format/known_schema.ts";
import type { ChangeLog } from "./change_log.ts";
import type { EntryReads } from "./entry_reads.ts";
import { type EntryWrite, undoneError, writeGuarded } from "./guarded_write.ts";
import {
  COMPARE_VALUE,
  DELETE_ENTRY,
  GET_SIZE,
  GET_VERSION,
  INSERT_ENTRIES,
  INSERT_ENTRY,
  UPDATE_ENTRY,
} from "./queries.ts";
import { versionOf } from "./rows.ts";

/** Writes the entries of one connection, in its write transaction. The methods are those of `Entries`. */
export class EntryWrites {
  readonly #database: Database;
  readonly #schema: KnownSchema;
  readonly #entries: EntryReads;
  readonly #log: ChangeLog;

  /** Takes the connection, the file's schema, and what reads there. */
  constructor(
    database: Database,
    schema: KnownSchema,
    entries: EntryReads,
    log: ChangeLog,
  ) {
    this.#database = database;
    this.#schema = schema;
    this.#entries = entries;
    this.#log = log;
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
        [kind, key, value, first, time, this.#log.nextRevision()],
      );
      return { status: "created", version: first, ...written };
    }
    const before = versionOf(row);
    if (row.same) return { status: "unchanged", version: before };
    const version = nextVersion(kind, key, before);
    const written = this.#write(
      { kind, key, type: "update", version, value },
      UPDATE_ENTRY,
      [value, this.#log.nextRevision(), kind, key],
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

  insertAll(kind: string, entries: readonly StoredValue[]): boolean {
    // If others have triggers, only single writes tell what these do.
    if (this.#schema.foreignTriggers.length > 0) return false;
    const first = entries[0].key;
    const last = entries[entries.length - 1].key;
    const range = {
      lower: { key: first, inclusive: true },
      upper: { key: last, inclusive: true },
    };
    if (this.#entries.count(kind, range, 1) > 0) return false;
    const next = this.#log.nextRevision();
    const params = entries.flatMap(({ key, value }, i) => [
      kind,
      key,
      value,
      Math.min(next + i, LAST_NUMBER),
    ]);
    try {
      const written = this.#database.run(INSERT_ENTRIES, ...params);
      this.#log.noteWrites(written);
      if (written === entries.length) return true;
      throw undoneError({ kind, key: first }, []);
    } catch (error) {
      // SQLite has written none of them. Only single writes tell which is too big.
      if (isTooBig(error)) return false;
      throw error;
    }
  }

  remove(kind: string, key: string): boolean {
    // Whatever its version is, as plain SQL may have made it.
    const params = [kind, key];
    if (this.#schema.foreignTriggers.length === 0) {
      const removed = this.#database.run(DELETE_ENTRY, ...params);
      if (removed > 0) this.#log.noteWrites(removed);
      return removed > 0;
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
    const { foreignTriggers } = this.#schema;
    const run = () => {
      // The triggers log it: they were looked at in this transaction.
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
    this.#log.noteWrites(1);
    return {};
  }
}
