/**
 * Connections that read one moment each, while the store goes on writing
 * through its own.
 *
 * @module
 */
import type { Database } from "../connection/database.ts";
import { storeError } from "../connection/failure.ts";
import { adaptReads, findEarlierTables } from "../format/earlier_format.ts";
import type { OpenFiles } from "../file/open_files.ts";
import type { SqliteAccess } from "./sqlite_access.ts";
import { beginRead } from "./transactions.ts";

/** The open connections of a storage that read. */
export class Readers {
  readonly #access: Pick<SqliteAccess, "files" | "location">;
  readonly #open = new Set<Database>();

  /** Takes what is known of the file. */
  constructor(access: Pick<SqliteAccess, "files" | "location">) {
    this.#access = access;
  }

  /** Begins a read, as of this moment, through a connection of its own. */
  begin(openReader: () => Database): Database {
    const reader = openReader();
    try {
      // Else it may be another file that is now at the path.
      this.#access.files.assertInPlace("read");
      beginRead(reader);
      // In the transaction: as of the moment that is read.
      if (this.#access.location.mode === "ro") {
        adaptReads(reader, findEarlierTables((sql) => reader.all(sql)));
      }
    } catch (error) {
      reader.close();
      throw error;
    }
    this.#open.add(reader);
    return reader;
  }

  /** Ends a read. Does nothing if it has ended. */
  end(reader: Database): void {
    if (!this.#open.delete(reader)) return;
    reader.rollBack();
    closeDatabase(reader, this.#access.files);
  }

  /** Ends every read. */
  endAll(): void {
    for (const reader of this.#open) this.end(reader);
  }
}

/** Closes a connection, unless that would harm its file. */
export function closeDatabase(database: Database, files: OpenFiles): void {
  if (!files.areSafeToClose) return database.abandon();
  try {
    database.close();
  } catch (error) {
    throw storeError("close the store", error);
  }
}
