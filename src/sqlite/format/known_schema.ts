/**
 * The known tables and triggers of a store's file. Others may change them while
 * the store has the file open: a tool that rebuilds a table drops its triggers.
 * SQLite counts such changes, so one number shows whether to look again.
 *
 * @module
 */
import type { KindCodecs } from "../../values/codecs/kind_codecs.ts";
import {
  CodecError,
  StoreError,
  StoreOpenError,
} from "../../contract/errors.ts";
import type { Database } from "../connection/database.ts";
import { GET_SCHEMA_VERSION } from "../connection/queries.ts";
import type { Connection } from "../driver/driver.ts";
import {
  codecConflict,
  codecNames,
  remembersCodecs,
} from "../../values/codecs/remembered_codecs.ts";
import { FIRST_ENTRY, HAS_ENTRIES } from "./queries.ts";
import { adaptReads } from "./earlier_format.ts";
import { type FileState, inspectFile } from "./inspect_file.ts";
import { logBegin } from "./log_meta.ts";
import { FORMAT } from "./tables.ts";
import { upgradeFile } from "./upgrade_file.ts";

/** The schema of an open file. */
export class KnownSchema {
  readonly #database: Database;
  readonly #connection: Connection;
  readonly #codecs: KindCodecs;
  /** SQLite's number of the last inspected schema. */
  #version: unknown;
  #state: FileState | undefined;
  /** Whether the file had all current tables, indexes and triggers, and these codecs. */
  #isCurrent = false;
  #readsEarlier = false;

  /** Takes a database, its connection, and the codecs for the values. */
  constructor(
    database: Database,
    connection: Connection,
    codecs: KindCodecs,
  ) {
    this.#database = database;
    this.#connection = connection;
    this.#codecs = codecs;
  }

  /** Whether the file had a reliable change log at the last look. */
  get hasLog(): boolean {
    return this.#state?.hasLog ?? false;
  }

  /** The triggers of others on the store's tables at the last look. */
  get foreignTriggers(): readonly string[] {
    return this.#state?.foreignTriggers ?? [];
  }

  /** Whether the schema has not changed since the last look that found a store. */
  isUnchanged(): boolean {
    return this.#state !== undefined && this.#readVersion() === this.#version;
  }

  /**
   * Inspects the file. Throws `StoreOpenError` or `CodecError` if it is not a
   * store with these codecs. Call it in a transaction, so that all reads are of
   * one moment.
   */
  look(): FileState {
    this.#state = undefined;
    const version = this.#readVersion();
    const state = inspectFile(this.#connection);
    this.#assertCodecs(state);
    this.#version = version;
    this.#isCurrent = this.#hasEverything(state);
    return this.#state = state;
  }

  /** Whether the file needed no change at the last look. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  #hasEverything(state: FileState): boolean {
    return state.hasEntries && state.hasLog &&
      state.hasNewestTriggers && state.format === FORMAT &&
      state.earlierTables.size === 0 && state.missingIndexes.length === 0 &&
      logBegin(state.meta) !== undefined &&
      [...codecNames(this.#codecs)].every(([name, codec]) =>
        state.meta.get(name) === codec
      );
  }

  /**
   * Makes the connection read tables of an earlier format as if they had the
   * newest one, without a change to the file. Call it outside a transaction,
   * after a look.
   */
  adaptReads(): void {
    const { earlierTables } = this.#state!;
    this.#readsEarlier = earlierTables.size > 0;
    adaptReads(this.#database, earlierTables);
  }

  /** Whether such tables are read. Another process may upgrade them. */
  get readsEarlier(): boolean {
    return this.#readsEarlier;
  }

  /** Does work that is impossible while views hide the tables, such as `VACUUM`. */
  readPlain(work: () => void): void {
    if (!this.#readsEarlier) return work();
    adaptReads(this.#database, new Set());
    try {
      work();
    } finally {
      this.adaptReads();
    }
  }

  /**
   * Upgrades the file in the open write transaction, if necessary. Returns
   * whether there is something to commit.
   */
  bringUp(): boolean {
    if (this.isUnchanged() && this.#isCurrent) return false;
    const state = this.look();
    if (this.#isCurrent) return false;
    upgradeFile(this.#connection, state, codecNames(this.#codecs));
    const upgraded = this.look();
    if (!this.#isCurrent) throw hinderedError(upgraded);
    // Until the commit, another change may get the same number.
    this.#state = undefined;
    return true;
  }

  /**
   * The same for a file that a store has open. Throws `StoreError` if it is no
   * longer a store's file.
   */
  bringBack(): boolean {
    try {
      return this.bringUp();
    } catch (error) {
      if (error instanceof StoreOpenError || error instanceof CodecError) {
        throw changedError(error);
      }
      throw error;
    }
  }

  #readVersion(): unknown {
    return this.#database.get(GET_SCHEMA_VERSION)!.schema_version;
  }

  #assertCodecs(state: FileState): void {
    if (!state.hasEntries) return;
    if (!remembersCodecs(state.meta)) return this.#assertDecodable();
    const kinds = this.#codecs.namedKinds.filter((kind) => this.#hasKind(kind));
    const conflict = codecConflict(state.meta, this.#codecs, kinds);
    if (conflict) throw new StoreOpenError(`Cannot open store: ${conflict}`);
  }

  #hasKind(kind: string): boolean {
    return this.#connection.prepare(HAS_ENTRIES).get(kind) !== undefined;
  }

  /**
   * A file without remembered codecs may be another program's, so its first
   * value must be decodable.
   */
  #assertDecodable(): void {
    const row = this.#connection.prepare(FIRST_ENTRY).get();
    if (!row) return;
    this.#codecs.decode(
      row.kind as string,
      row.key as string,
      row.value as Uint8Array,
    );
  }
}

function hinderedError({ foreignTriggers }: FileState): StoreOpenError {
  const names = foreignTriggers.join(", ") || "none was found";
  return new StoreOpenError(
    `Cannot open store: the file's tables and triggers cannot be created; a foreign trigger may undo it (${names}); drop foreign triggers`,
  );
}

function changedError(cause: StoreError): StoreError {
  const reason = cause.message.replace(/^Cannot open store: /, "");
  return new StoreError(
    "STORAGE",
    `Cannot write: somebody changed the file's tables while the store was open: ${reason}`,
    { cause },
  );
}
