/**
 * Finds out whether a file's change log is reliable: its triggers have always
 * been there, and its newest revision is known.
 *
 * @module
 */
import { StoreOpenError } from "../../contract/errors.ts";
import type { Connection } from "../driver/driver.ts";
import { HEAD_REVISION, SEQUENCES } from "./queries.ts";
import type { Query, SchemaObjects } from "./schema_objects.ts";
import { earlierTriggers, TRIGGER_SQL } from "./triggers.ts";

/** Whether the triggers are the current ones. */
export function hasNewestTriggers({ triggers }: SchemaObjects): boolean {
  return [...TRIGGER_SQL].every(([name, sql]) =>
    triggers.get(name)?.sql === sql
  );
}

/** The triggers that are wrong, or have not always been there. */
export function triggerProblems(objects: SchemaObjects): string[] {
  const { tables, triggers } = objects;
  const names = hasNewestTriggers(objects)
    ? [...TRIGGER_SQL.keys()]
    : earlierTriggers(triggers);
  if (!names) {
    return [...TRIGGER_SQL.keys()].flatMap((name) => {
      const found = triggers.get(name)?.sql;
      if (found === TRIGGER_SQL.get(name)) return [];
      return `The trigger ${name} ${
        found === undefined ? "is missing" : "differs"
      }`;
    });
  }
  // An object that was dropped and created again is newer than the objects
  // created after it; VACUUM keeps this order. A tool that changes a table
  // creates it again.
  const made = [
    ["zestor_kv", "zestor_replaced"].map((name) => tables.get(name)),
    names.map((name) => triggers.get(name)),
  ];
  return made.flatMap((objects) =>
    objects.filter((object, i) => {
      const next = objects[i + 1];
      return object && next && object.order > next.order;
    })
  ).map((object) => `The ${object!.type} ${object!.name} was created again`);
}

/**
 * The reason why the newest revision is uncertain, if it is. SQLite keeps the
 * newest revision it has given in a table of its own. If both this table and
 * the log were cut back, revisions would be given twice. The table may be
 * behind the log if a statement failed in the middle.
 */
export function logProblem(
  query: Query,
  { tables }: SchemaObjects,
): string | undefined {
  if (!tables.has("sqlite_sequence")) return NO_MEMORY;
  const { newest, given } = readRevisions(query);
  if (given === null) return NO_MEMORY;
  if (newest === null) {
    return given === 0 && hasRows(query)
      ? "The change log is gone, and so is SQLite's record of its newest revision"
      : undefined;
  }
  return newest < given
    ? `The change log ends at revision ${newest}, but it has reached revision ${given} before`
    : undefined;
}

const NO_MEMORY = "SQLite's record of the newest revision is gone";

/** The newest revision, from two sources. */
export interface Revisions {
  /** The newest revision in the log. */
  readonly newest: number | null;
  /** The newest revision that SQLite remembers. */
  readonly given: number | null;
}

/** Reads the newest revision. */
export function readRevisions(query: Query): Revisions {
  const [revisions] = query(
    `SELECT (SELECT max(revision) FROM zestor_changes) AS newest,
      (SELECT CAST(max(seq) AS INTEGER) FROM ${SEQUENCES}
        WHERE name = 'zestor_changes') AS given`,
  );
  return revisions as unknown as Revisions;
}

/** Whether there is an entry. */
export function hasRows(query: Query): boolean {
  return query("SELECT 1 FROM zestor_kv LIMIT 1").length > 0;
}

/** The newest revision, 0 before the first. */
export function readHead(connection: Connection): number {
  const { revision } = connection.prepare(HEAD_REVISION).get()!;
  if (Number.isSafeInteger(revision)) return revision as number;
  throw new StoreOpenError(
    `Cannot open store: the newest revision in the file is ${revision}, which is not a safe integer; restore the file from a backup`,
  );
}
