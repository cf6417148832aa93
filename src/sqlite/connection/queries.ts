/**
 * What SQLite tells of a database by itself, whatever tables it has.
 *
 * @module
 */

/** The version of the SQLite library. */
export const GET_SQLITE_VERSION = "SELECT sqlite_version() AS version";

/** How many pages the database has. */
export const GET_PAGE_COUNT = "PRAGMA page_count";

/** How many bytes a page has. */
export const GET_PAGE_SIZE = "PRAGMA page_size";

/** A number in the file's header that SQLite leaves to programs. */
export const GET_USER_VERSION = "PRAGMA user_version";

/** A number that changes with each change of a table, an index or a trigger. To read it takes no table. */
export const GET_SCHEMA_VERSION = "PRAGMA schema_version";

/** How the database's transactions are kept. */
export const GET_JOURNAL_MODE = "PRAGMA journal_mode";

/**
 * A number that changes when another connection commits, and not by what this
 * one commits (https://sqlite.org/pragma.html#pragma_data_version).
 */
export const GET_DATA_VERSION = "PRAGMA data_version";
