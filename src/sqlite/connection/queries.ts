/**
 * Queries on any database, independent of its tables.
 *
 * @module
 */

/** The version of the SQLite library. */
export const GET_SQLITE_VERSION = "SELECT sqlite_version() AS version";

/** The number of pages of the database. */
export const GET_PAGE_COUNT = "PRAGMA page_count";

/** The number of bytes of a page. */
export const GET_PAGE_SIZE = "PRAGMA page_size";

/** A number in the file's header that SQLite leaves to programs. */
export const GET_USER_VERSION = "PRAGMA user_version";

/**
 * A number that changes with each change of a table, an index or a trigger.
 * Reading it needs no table.
 */
export const GET_SCHEMA_VERSION = "PRAGMA schema_version";

/** The database's journal mode. */
export const GET_JOURNAL_MODE = "PRAGMA journal_mode";

/**
 * A number that changes when another connection commits, but not when this one
 * does (https://sqlite.org/pragma.html#pragma_data_version).
 */
export const GET_DATA_VERSION = "PRAGMA data_version";
