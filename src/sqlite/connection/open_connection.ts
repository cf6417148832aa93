/**
 * Opens connections to a file that may come from anybody: one place for all.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import { mayRead } from "../file/database_file.ts";
import type { Connection, DatabaseLocation, Driver } from "../driver/driver.ts";

/**
 * Opens a connection. It waits on no lock inside SQLite, calls no function that
 * the file's schema names unless SQLite knows it for harmless, and looks at the
 * form of each page that it reads (https://sqlite.org/security.html). Throws
 * `StoreOpenError` if SQLite would touch another file on behalf of this one.
 */
export function openConnection(
  driver: Driver,
  location: DatabaseLocation,
): Connection {
  assertOwnJournal(location);
  const connection = driver.open(location);
  try {
    connection.exec(
      "PRAGMA busy_timeout = 0; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON",
    );
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The last bytes of a journal that names another file (https://sqlite.org/fileformat2.html#the_rollback_journal). */
const MAGIC = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/** The least bytes that follow such a name: its length, a checksum, the magic. */
const TRAILER_BYTES = 16;

/**
 * Throws if the file's rollback journal ends with the name of another file, as
 * one of a transaction on several files does. SQLite deletes that file, whatever
 * it is, and whether or not Deno would permit it. A journal that Deno may not
 * read is not looked at.
 */
function assertOwnJournal({ path, memory }: DatabaseLocation): void {
  if (memory) return;
  for (const file of namesOf(path)) {
    const journal = `${file}-journal`;
    if (!namesAnother(journal)) continue;
    throw new StoreOpenError(
      `Cannot open store at ${path}: its rollback journal ${journal} names another file, which SQLite would delete; if a transaction on several files was interrupted there, open the file with the program that wrote it, else remove the journal`,
    );
  }
}

/** A path, and what it leads to: SQLite puts the journal beside either, by the system. */
function namesOf(path: string): string[] {
  try {
    return [...new Set([path, platform.realPathSync(path)])];
  } catch {
    // It is not there yet: then SQLite reads no journal.
    return [path];
  }
}

function namesAnother(journal: string): boolean {
  if (!mayRead(journal)) return false;
  try {
    const { size, isFile } = platform.statSync(journal);
    if (!isFile || size < TRAILER_BYTES) return false;
    // To close it drops no lock: SQLite locks the database alone.
    const end = platform.readEndSync(journal, MAGIC.length);
    return end.every((byte, i) => byte === MAGIC[i]);
  } catch {
    // There is none, or this process may not look at it.
    return false;
  }
}
