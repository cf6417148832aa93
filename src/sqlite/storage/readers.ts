/**
 * Connections that each read one moment, while the store writes through its own
 * connection.
 *
 * @module
 */
import type { Database } from "../connection/database.ts";
import { storeError } from "../connection/failure.ts";
import { adaptReads, findEarlierTables } from "../format/earlier_format.ts";
import type { OpenFiles } from "../file/open_files.ts";
import type { SqliteAccess } from "./sqlite_access.ts";
import { beginRead } from "./transactions.ts";

/** The open reading connections of a storage. */
export class Readers {
  readonly #access: Pick<SqliteAccess, "files" | "location">;
  readonly #open = new Set<Database>();

  /** Takes the known facts about the file. */
  constructor(access: Pick<SqliteAccess, "files" | "location">) {
    this.#access = access;
  }

  /** Begins a read of this moment, on a connection of its own. */
  begin(openReader: () => Database): Database {
    const reader = openReader();
    try {
      // Otherwise, another file may be at the path.
      this.#access.files.assertInPlace("read");
      beginRead(reader);
      // In the transaction, so that it belongs to the moment.
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

  /** Ends a read. Does nothing if it has ended already. */
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
