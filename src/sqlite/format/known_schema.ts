/**
 * What a store knows of its file's tables and triggers. Others may change them
 * while the store has the file open: a tool that makes a table anew drops its
 * triggers. SQLite counts such changes, so one number tells whether to look
 * again.
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
  /** SQLite's number of the schema that was looked at last. */
  #version: unknown;
  #state: FileState | undefined;
  /** Whether the file had everything that this code makes, with these codecs. */
  #isCurrent = false;
  #readsEarlier = false;

  /** Takes a database, its connection, and the codecs that the values should have. */
  constructor(
    database: Database,
    connection: Connection,
    codecs: KindCodecs,
  ) {
    this.#database = database;
    this.#connection = connection;
    this.#codecs = codecs;
  }

  /** Whether the file has a change log to rely on, as it was looked at last. */
  get hasLog(): boolean {
    return this.#state?.hasLog ?? false;
  }

  /** The triggers of others on the store's tables, as they were looked at last. */
  get foreignTriggers(): readonly string[] {
    return this.#state?.foreignTriggers ?? [];
  }

  /** Whether nothing has changed since the last look that found a store. */
  isUnchanged(): boolean {
    return this.#state !== undefined && this.#readVersion() === this.#version;
  }

  /**
   * Looks at the file. Throws `StoreOpenError` or `CodecError` if it is not
   * a store's with these codecs. To be called in a transaction: what is read
   * must be of one moment.
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

  /** Whether the file needs no change, as it was looked at last. */
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
   * Makes the connection read tables of an earlier format as if they were of
   * the newest, without a change to the file. To be called outside
   * a transaction, after a look.
   */
  adaptReads(): void {
    const { earlierTables } = this.#state!;
    this.#readsEarlier = earlierTables.size > 0;
    adaptReads(this.#database, earlierTables);
  }

  /** Whether such tables are read: somebody may bring them to the newest format. */
  get readsEarlier(): boolean {
    return this.#readsEarlier;
  }

  /** Does what cannot be done while there are views in place of the tables, such as `VACUUM`. */
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
   * Brings the file to the format, in the open write transaction, if it has not
   * got it. Returns whether there was something to do, and so to commit.
   */
  bringUp(): boolean {
    if (this.isUnchanged() && this.#isCurrent) return false;
    const state = this.look();
    if (this.#isCurrent) return false;
    upgradeFile(this.#connection, state, codecNames(this.#codecs));
    const upgraded = this.look();
    if (!this.#isCurrent) throw hinderedError(upgraded);
    // Until it is committed, the number may be given to something else.
    this.#state = undefined;
    return true;
  }

  /** The same for a file that a store has open: throws `StoreError` if it is not a store's any more. */
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

  /** A file that remembers no codec, as another program's: its first value must make sense. */
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
    `Cannot open store: the file's tables and triggers cannot be made, as if a trigger of others undid it (${names}); drop such triggers`,
  );
}

function changedError(cause: StoreError): StoreError {
  const reason = cause.message.replace(/^Cannot open store: /, "");
  return new StoreError(
    "STORAGE",
    `Cannot write: somebody changed the file's tables while the store had it open: ${reason}`,
    { cause },
  );
}
