/**
 * The parts of the format that a file has.
 *
 * The invariant: every change of a row of `zestor_kv`, by any writer, writes
 * exactly one row of `zestor_changes` in the same transaction, so that the log
 * is complete from its oldest row on. If this did not hold for a while (the
 * rows are older than the log, or triggers were dropped), the log is not
 * reliable.
 *
 * A file may be untrusted. So this code reads no table before it knows that the
 * name is an ordinary table, and it reads a limited number of rows.
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

/** The state of a file. */
export interface FileState {
  /** The format that the file declares; 0 if it declares none. */
  readonly format: number;
  /** Whether the table `zestor_kv` exists. */
  readonly hasEntries: boolean;
  /**
   * Whether there is a reliable change log: it has triggers that log every
   * change, and its newest change.
   */
  readonly hasLog: boolean;
  /** Whether the triggers are the current ones. */
  readonly hasNewestTriggers: boolean;
  /** The tables with the shape of an earlier format. */
  readonly earlierTables: ReadonlySet<string>;
  /** The names of the store's indexes that are missing or different. */
  readonly missingIndexes: readonly string[];
  /** Whether the file has had a store, or a part of one. */
  readonly wasStore: boolean;
  /** The rows of `zestor_meta`, by name. */
  readonly meta: ReadonlyMap<string, string>;
  /** The triggers on the store's tables that do not belong to the store. */
  readonly foreignTriggers: readonly string[];
}

/**
 * Inspects a file without changing it. Throws `StoreOpenError` if the file
 * cannot be a store: it has a newer format, or other tables under the store's
 * names.
 */
export function inspectFile(connection: Connection): FileState {
  const query: Query = (sql) => connection.prepare(sql).all();
  const objects = readObjects(query);
  const { wrong, earlier } = judgeTables(query, objects);
  // The format comes first, because a newer format may have other tables.
  assertTable(wrong, "zestor_meta");
  const { tables } = objects;
  const meta = tables.has("zestor_meta") ? readMeta(query) : new Map();
  const format = Number(meta.get("format") ?? 0);
  if (!(Number.isInteger(format) && format <= FORMAT)) {
    throw new StoreOpenError(
      `Cannot open store: the file's format is ${
        meta.get("format")
      }, but this version supports formats up to ${FORMAT}; use a newer version of @zestor/store`,
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

/** The names of the store's indexes that are missing in a file, or different. */
export function missingIndexes({ tables }: SchemaObjects): string[] {
  return [...INDEXES].filter(([name, sql]) => tables.get(name)?.sql !== sql)
    .map(([name]) => name);
}

function assertTable(wrong: ReadonlyMap<string, string>, name: string): void {
  const problem = wrong.get(name);
  if (problem === undefined) return;
  throw new StoreOpenError(
    `Cannot open store: the file has ${problem}; give another file, or rename these tables`,
  );
}

/**
 * The largest number of rows in `zestor_meta`: one for each kind with its own
 * codec, and a few others.
 */
const MOST_META = 10_000;

/** The rows of `zestor_meta`, by name. */
export function readMeta(query: Query): Map<string, string> {
  const rows = query(
    `SELECT name, value FROM zestor_meta LIMIT ${MOST_META + 1}`,
  );
  if (rows.length > MOST_META) {
    throw new StoreOpenError(
      `Cannot open store: zestor_meta has more than ${MOST_META} rows, more than any store writes; restore the file from a backup`,
    );
  }
  // Damage may have left values of any type.
  return new Map(rows.map(({ name, value }) => [String(name), String(value)]));
}

function assertEncoding(connection: Connection): void {
  const { encoding } = connection.prepare("PRAGMA encoding").get()!;
  if (encoding === "UTF-8") return;
  throw new StoreOpenError(
    `Cannot open store: the file's text encoding is ${encoding}, which orders keys differently; expected UTF-8`,
  );
}
