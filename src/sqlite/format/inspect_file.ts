/**
 * What a file holds of the format.
 *
 * The invariant: every change of a row of `zestor_kv`, by whomever, writes
 * exactly one row of `zestor_changes` in the same transaction, so that the log
 * tells the whole story from its oldest row on. If that did not hold for
 * a while (rows older than the log, triggers that were dropped) the log is not
 * to be relied on.
 *
 * A file may come from anybody. So this reads no table before it knows that the
 * name is an ordinary table, and reads a bounded number of rows.
 *
 * @module
 */
import { StoreOpenError } from "../../contract/errors.ts";
import type { Connection } from "../driver/driver.ts";
import { hasNewestTriggers, logProblem, triggerProblems } from "./log_state.ts";
import {
  foreignObjects,
  type Query,
  readObjects,
  type SchemaObjects,
} from "./schema_objects.ts";
import { FORMAT, INDEXES, judgeTables, TABLE_NAMES } from "./tables.ts";
import { TRIGGER_NAMES } from "./triggers.ts";

/** What a file holds of the format. */
export interface FileState {
  /** The format it says it has, 0 where it says nothing. */
  readonly format: number;
  /** Whether there is a `zestor_kv`. */
  readonly hasEntries: boolean;
  /** Whether there is a change log to rely on: with triggers that log every change, and its newest change. */
  readonly hasLog: boolean;
  /** Whether the triggers are those that this code makes. */
  readonly hasNewestTriggers: boolean;
  /** The tables that have an earlier format's shape. */
  readonly earlierTables: ReadonlySet<string>;
  /** The names of the store's indexes that are missing, or are others. */
  readonly missingIndexes: readonly string[];
  /** Whether a store was here before: it, or a part of it. */
  readonly wasStore: boolean;
  /** What `zestor_meta` holds, by name. */
  readonly meta: ReadonlyMap<string, string>;
  /** The triggers on the store's tables that are not the store's. */
  readonly foreignTriggers: readonly string[];
}

/**
 * Looks at a file without changing it. Throws `StoreOpenError` if it cannot be
 * a store's: of a newer format, or with tables of something else's.
 */
export function inspectFile(connection: Connection): FileState {
  const query: Query = (sql) => connection.prepare(sql).all();
  const objects = readObjects(query);
  const { wrong, earlier } = judgeTables(query, objects);
  // With the format first: a newer one may have other tables.
  assertTable(wrong, "zestor_meta");
  const { tables } = objects;
  const meta = tables.has("zestor_meta") ? readMeta(query) : new Map();
  const format = Number(meta.get("format") ?? 0);
  if (!(Number.isInteger(format) && format <= FORMAT)) {
    throw new StoreOpenError(
      `Cannot open store: the file's format is ${
        meta.get("format")
      }, this version knows up to ${FORMAT}; use a newer version of @zestor/store`,
    );
  }
  for (const name of wrong.keys()) assertTable(wrong, name);
  assertEncoding(connection);
  const hasEntries = tables.has("zestor_kv");
  return {
    format,
    hasEntries,
    hasLog: hasEntries && tables.has("zestor_changes") &&
      tables.has("zestor_replaced") && triggerProblems(objects).length === 0 &&
      logProblem(query, objects) === undefined,
    hasNewestTriggers: hasNewestTriggers(objects),
    earlierTables: earlier,
    missingIndexes: missingIndexes(objects),
    wasStore:
      TABLE_NAMES.some((name) => name !== "zestor_kv" && tables.has(name)) ||
      [...TRIGGER_NAMES].some((name) => objects.triggers.has(name)),
    meta,
    foreignTriggers: foreignObjects(objects, TABLE_NAMES, TRIGGER_NAMES)
      .filter(({ type }) => type === "trigger").map(({ name }) => name),
  };
}

/** The names of the store's indexes that a file does not have as this code makes them. */
export function missingIndexes({ tables }: SchemaObjects): string[] {
  return [...INDEXES].filter(([name, sql]) => tables.get(name)?.sql !== sql)
    .map(([name]) => name);
}

function assertTable(wrong: ReadonlyMap<string, string>, name: string): void {
  const problem = wrong.get(name);
  if (problem === undefined) return;
  throw new StoreOpenError(
    `Cannot open store: the file has ${problem}; give another file, or rename what is there`,
  );
}

/** How many rows `zestor_meta` may have: one for each kind with a codec of its own, and a few. */
const MOST_META = 10_000;

/** What `zestor_meta` holds, by name. */
export function readMeta(query: Query): Map<string, string> {
  const rows = query(
    `SELECT name, value FROM zestor_meta LIMIT ${MOST_META + 1}`,
  );
  if (rows.length > MOST_META) {
    throw new StoreOpenError(
      `Cannot open store: zestor_meta has more than ${MOST_META} rows, which no store wrote; restore the file from a backup`,
    );
  }
  // Of damage anything may have come.
  return new Map(rows.map(({ name, value }) => [String(name), String(value)]));
}

function assertEncoding(connection: Connection): void {
  const { encoding } = connection.prepare("PRAGMA encoding").get()!;
  if (encoding === "UTF-8") return;
  throw new StoreOpenError(
    `Cannot open store: the file's text encoding is ${encoding}, which orders keys in another way; expected UTF-8`,
  );
}
