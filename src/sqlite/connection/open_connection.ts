/**
 * Opens connections to files that may be untrusted. All connections are opened
 * here.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import { mayRead } from "../file/database_file.ts";
import type { Connection, DatabaseLocation, Driver } from "../driver/driver.ts";

/**
 * Opens a connection. It waits for no lock inside SQLite. It calls no function
 * that the file's schema names, unless SQLite considers the function harmless.
 * It checks the form of each page that it reads
 * (https://sqlite.org/security.html). Throws `StoreOpenError` if SQLite would
 * touch another file because of this one.
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

/** The least number of bytes that follow such a name: its length, a checksum, and the magic. */
const TRAILER_BYTES = 16;

/**
 * Throws if the file's rollback journal ends with the name of another file, as
 * after a transaction on several files. SQLite would delete that file, whatever
 * it is, even if Deno would not permit it. A journal that Deno may not read is
 * not checked.
 */
function assertOwnJournal({ path, memory }: DatabaseLocation): void {
  if (memory) return;
  for (const file of namesOf(path)) {
    const journal = `${file}-journal`;
    if (!namesAnother(journal)) continue;
    throw new StoreOpenError(
      `Cannot open store at ${path}: its rollback journal ${journal} names another file, which SQLite would delete; if a program was interrupted in a transaction on several files, open the file with that program, else remove the journal`,
    );
  }
}

/**
 * A path, and the path that it leads to. SQLite puts the journal beside one of
 * them, depending on the system.
 */
function namesOf(path: string): string[] {
  try {
    return [...new Set([path, platform.realPathSync(path)])];
  } catch {
    // The file does not exist yet, so SQLite reads no journal.
    return [path];
  }
}

function namesAnother(journal: string): boolean {
  if (!mayRead(journal)) return false;
  try {
    const { size, isFile } = platform.statSync(journal);
    if (!isFile || size < TRAILER_BYTES) return false;
    // Closing it drops no lock, because SQLite locks only the database.
    const end = platform.readEndSync(journal, MAGIC.length);
    return end.every((byte, i) => byte === MAGIC[i]);
  } catch {
    // There is none, or this process may not look at it.
    return false;
  }
}
