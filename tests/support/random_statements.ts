/**
 * Plain SQL on a store's entries, at random.
 *
 * @module
 */
import { type Connection, SqlError } from "../../src/sqlite/driver/driver.ts";

const COLUMNS = "zestor_kv (kind, key, value)";
/** Times of expiry, in ms since 1970. */
const PAST = 1_000;
const FUTURE = 4_000_000_000_000;
const REFUSED = /constraint failed|transaction|no such savepoint/;

/** Runs SQL that a constraint, or the lack of a transaction, may refuse. */
export function execUnlessRefused(db: Connection, sql: string): void {
  try {
    db.exec(sql);
  } catch (error) {
    if (!(error instanceof SqlError && REFUSED.test(error.message))) {
      throw error;
    }
  }
}

/** Whether a transaction is open; it stays open. */
export function isInTransaction(db: Connection): boolean {
  try {
    db.exec("BEGIN");
  } catch {
    return true;
  }
  db.exec("ROLLBACK");
  return false;
}

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What the statements are made of. */
export interface StatementOptions {
  /** Whether no value is written a second time. */
  readonly fresh?: boolean;
}

/**
 * Gives random statements, the same for the same seed, out of few enough keys
 * that they meet; and out of few values, unless those are to be fresh. These
 * leave `PRAGMA recursive_triggers` alone, and the others do not.
 */
export function randomStatements(
  seed: number,
  { fresh = false }: StatementOptions = {},
): () => string {
  const random = randomNumbers(seed);
  let written = 0;
  const pick = <T>(items: readonly T[]): T =>
    items[Math.floor(random() * items.length)];
  const kind = () => pick(["'k'", "'l'"]);
  const key = () => pick(["'a'", "'b'", "'c'", "'d'"]);
  const known = () =>
    fresh ? `'${++written}'` : pick(["x'31'", "'1'", "x'32'", "'2'", "x''"]);
  const value = () => random() < 1 / 6 ? "NULL" : known();
  const copied = () => fresh ? `'${++written} ' || kind || key` : "value";
  const expiry = () => pick(["NULL", PAST, FUTURE, FUTURE + 1]);
  const version = () =>
    pick([
      "",
      "",
      "",
      ", version = version + 1",
      ", version = 9",
      ", revision = 1000000",
      ", revision = (SELECT max(revision) FROM zestor_changes)",
      `, expires_at = ${expiry()}`,
      `, expires_at = ${expiry()}, revision = revision + 1`,
    ]);
  const rows = () =>
    Array.from(
      { length: pick([1, 1, 1, 2, 3]) },
      () => `(${kind()}, ${key()}, ${pick([known, known, value])()})`,
    ).join();
  const where = () =>
    pick([
      `WHERE kind = ${kind()} AND key = ${key()}`,
      `WHERE kind = ${kind()} AND key = ${key()}`,
      `WHERE kind = ${kind()}`,
      `WHERE key >= ${key()}`,
      `WHERE value IS ${known()}`,
    ]);
  const or = () =>
    pick(["", "OR REPLACE", "OR IGNORE", "OR FAIL", "OR ABORT", "OR ROLLBACK"]);
  const insert = () => `INSERT ${or()} INTO ${COLUMNS} VALUES ${rows()}`;
  const update = () => `UPDATE ${or()} zestor_kv SET`;
  const recursive = () =>
    fresh
      ? insert()
      : `PRAGMA recursive_triggers = ${pick(["OFF", "OFF", "ON"])}`;
  return () =>
    pick([
      insert,
      insert,
      () => `REPLACE INTO ${COLUMNS} VALUES ${rows()}`,
      () =>
        `INSERT ${or()} INTO ${COLUMNS}
        SELECT ${kind()}, key, ${copied()} FROM zestor_kv ${where()}`,
      () =>
        `INSERT ${or()} INTO zestor_kv (kind, key, value, version)
        VALUES (${kind()}, ${key()}, ${known()}, 5)`,
      () =>
        `INSERT ${or()} INTO zestor_kv (kind, key, value, revision, expires_at)
        VALUES (${kind()}, ${key()}, ${known()}, 7, ${expiry()})`,
      () => `INSERT INTO ${COLUMNS} VALUES ${rows()} ON CONFLICT DO NOTHING`,
      () =>
        `INSERT INTO ${COLUMNS} VALUES ${rows()}
        ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value${version()}`,
      () =>
        `INSERT INTO ${COLUMNS} VALUES ${rows()}
        ON CONFLICT DO UPDATE SET key = ${key()}${version()}`,
      () => `${update()} value = ${value()}${version()} ${where()}`,
      () => `${update()} value = ${value()}${version()} ${where()}`,
      () => `${update()} expires_at = ${expiry()} ${where()}`,
      () => `${update()} key = ${key()}${version()} ${where()}`,
      () => `${update()} key = ${key()}, value = ${known()} ${where()}`,
      () => `${update()} kind = ${kind()} ${where()}`,
      () =>
        `${update()} kind = ${kind()}, key = ${key()}${version()} ${where()}`,
      () => `DELETE FROM zestor_kv ${where()}`,
      () => pick(["DELETE FROM zestor_kv", "BEGIN", "BEGIN"]),
      () => pick(["COMMIT", "COMMIT", "ROLLBACK"]),
      () => "SAVEPOINT s",
      () => pick(["RELEASE s", "ROLLBACK TO s", "ROLLBACK TO s; RELEASE s"]),
      recursive,
    ])();
}
