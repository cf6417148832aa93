/**
 * Queries on all entries and on the whole change log.
 *
 * @module
 */
import { integer, VALUE, whole } from "./columns.ts";

/** The first entry. */
export const FIRST_ENTRY = `SELECT ${whole("kind")}, ${
  whole("key")
}, ${VALUE} FROM zestor_kv ORDER BY zestor_kv.kind, zestor_kv.key LIMIT 1`;

/**
 * Whether a kind has entries. Parameters: kind. The condition on the key
 * prevents the planner from using an index on the kind alone.
 */
export const HAS_ENTRIES =
  "SELECT 1 FROM zestor_kv WHERE kind = ? AND key >= '' LIMIT 1";

/**
 * The revisions that SQLite has given, by table. The number of rows is limited,
 * because the table may be manipulated.
 */
export const SEQUENCES = "(SELECT name, seq FROM sqlite_sequence LIMIT 10000)";

/** The newest revision, 0 before the first. The log is empty at first, and after a restart. */
export const HEAD_REVISION = `SELECT ${
  integer("revision", "newest")
} FROM (SELECT coalesce(
  (SELECT max(revision) FROM zestor_changes),
  (SELECT seq FROM ${SEQUENCES} WHERE name = 'zestor_changes'),
  0) AS newest)`;

/** The newest revision in the log, and the newest one that SQLite remembers. */
export const GIVEN_REVISIONS = `SELECT ${integer("newest")}, ${
  integer("given")
} FROM (SELECT (SELECT max(revision) FROM zestor_changes) AS newest,
  (SELECT seq FROM ${SEQUENCES} WHERE name = 'zestor_changes') AS given)`;

/** The oldest revision in the log. If the log is empty, the revision of the next change. */
export const OLDEST_REVISION = `SELECT ${
  integer("revision", "oldest")
} FROM (SELECT coalesce(
  (SELECT min(revision) FROM zestor_changes),
  (SELECT seq + 1 FROM ${SEQUENCES} WHERE name = 'zestor_changes'),
  1) AS oldest)`;
