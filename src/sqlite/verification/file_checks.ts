/**
 * Checks a file as a whole: SQLite's own check, the tables, the triggers, and
 * whether they fit the change log.
 *
 * @module
 */
import type { VerifyFinding, VerifyPart } from "../../contract/verify.ts";
import type { OwnVerification } from "../../local/storage.ts";
import type { KindCodecs } from "../../values/codecs/kind_codecs.ts";
import type { Database } from "../connection/database.ts";
import type { DatabaseLocation, Row } from "../driver/driver.ts";
import type { OpenFiles } from "../file/open_files.ts";
import {
  codecConflict,
  remembersCodecs,
} from "../../values/codecs/remembered_codecs.ts";
import { madeViews } from "../format/earlier_format.ts";
import { missingIndexes, readMeta } from "../format/inspect_file.ts";
import { GET_NEWEST } from "./queries.ts";
import { logBegin } from "../format/log_meta.ts";
import { logProblem, triggerProblems } from "../format/log_state.ts";
import {
  foreignObjects,
  readObjects,
  type SchemaObject,
  type SchemaObjects,
} from "../format/schema_objects.ts";
import { FORMAT, judgeTables, TABLE_NAMES } from "../format/tables.ts";
import { TRIGGER_NAMES } from "../format/triggers.ts";

/**
 * One row more than a verification lists. SQLite cannot pause the check.
 * Checking each table separately would block the event loop for nearly as long,
 * because the entries take most of the time, and would not find a page that is
 * used twice.
 */
const INTEGRITY_CHECK = "PRAGMA integrity_check(101)";

const RESTORE = "restore the file from a backup";
const REOPEN = "open the store again: it makes what is missing";

/** The known facts about the open file. */
export interface VerifiedFile {
  readonly location: DatabaseLocation;
  readonly codecs: KindCodecs;
  readonly files: OpenFiles;
}

/** The checks of a file, in the order in which they run. */
export class FileChecks {
  readonly #database: Database;
  readonly #file: VerifiedFile;
  readonly all: readonly OwnVerification[] = [
    { part: "file", find: () => this.#checkFile() },
    { part: "file", find: () => this.#checkTables() },
    { part: "triggers", find: () => this.#checkTriggers() },
    // If the schema cannot be read, the data may not be sound either.
    { part: "triggers", find: () => this.#checkForeign() },
    { part: "log", find: () => this.#checkLog() },
  ];
  /** The tables of the right shape. */
  #readable: ReadonlySet<string> = new Set();

  /** Takes the connection, and the known facts about its file. */
  constructor(database: Database, file: VerifiedFile) {
    this.#database = database;
    this.#file = file;
  }

  /**
   * The revision at which the log begins, according to the file. If the file
   * does not say it, as in format 1, the newest revision.
   */
  get logBegin(): number {
    const meta = this.canRead("zestor_meta")
      ? readMeta(this.#query)
      : new Map();
    return logBegin(meta) ??
      (this.canRead("zestor_changes")
        ? Number(this.#database.get(GET_NEWEST)!.revision)
        : 0);
  }

  /** Whether the check of the tables found that all of these can be read. */
  canRead(...tables: string[]): boolean {
    return tables.every((table) => this.#readable.has(table));
  }

  *#checkFile(): Generator<VerifyFinding | undefined> {
    if (!this.#file.files.areInPlace()) {
      yield finding(
        "file",
        "The file that is open is no longer at its path: it was moved, replaced or deleted, and nothing can be written here; close every store that has it open, and open it again",
      );
    }
    yield;
    for (const { integrity_check } of this.#database.all(INTEGRITY_CHECK)) {
      const found = String(integrity_check).trim();
      if (found === "ok") continue;
      yield finding(
        "file",
        `SQLite finds the file damaged: ${found}; ${RESTORE}`,
      );
    }
  }

  *#checkTables(): Generator<VerifyFinding | undefined> {
    const objects = this.#objects();
    const { wrong, earlier } = judgeTables(this.#query, objects);
    for (const [, problem] of wrong) {
      yield finding("file", `The file has ${problem}; ${RESTORE}`);
    }
    // A read-only connection reads them through views.
    const readsViews = madeViews(this.#query).size > 0;
    this.#readable = new Set(
      [...TABLE_NAMES, "sqlite_sequence"].filter((name) =>
        objects.tables.has(name) && !wrong.has(name) &&
        (!earlier.has(name) || readsViews)
      ),
    );
    if (isPlain(objects)) return;
    for (const name of TABLE_NAMES) {
      if (objects.tables.has(name)) continue;
      yield finding("file", `The table ${name} is missing; ${REOPEN}`);
    }
    if (!readsViews) {
      for (const name of earlier) {
        yield finding(
          "file",
          `The table ${name} has the shape of an earlier format; ${REOPEN}`,
        );
      }
    }
    const hasMeta = this.#readable.has("zestor_meta");
    const meta = hasMeta ? readMeta(this.#query) : new Map<string, string>();
    const format = readsViews ? 1 : this.#formatOf(meta);
    if (format === FORMAT) {
      for (const name of missingIndexes(objects)) {
        yield finding(
          "file",
          `The index ${name} is missing or another; ${REOPEN}`,
        );
      }
    }
    if (hasMeta) yield* this.#checkMeta(meta, format);
  }

  /**
   * The format of a file that is read without views: a read-only one may have
   * format 2, with the same tables.
   */
  #formatOf(meta: ReadonlyMap<string, string>): number {
    const isReadOnly = this.#file.location.mode === "ro";
    return isReadOnly && meta.get("format") === "2" ? 2 : FORMAT;
  }

  *#checkMeta(
    meta: ReadonlyMap<string, string>,
    format: number,
  ): Generator<VerifyFinding> {
    const said = meta.get("format");
    if (said !== String(format)) {
      yield finding(
        "file",
        `The file says that its format is ${said}, and was opened as one of format ${format}; set it right in zestor_meta`,
      );
    }
    if (format > 1 && logBegin(meta) === undefined) {
      yield finding(
        "file",
        `The file does not say at which revision its change log begins, and with which mark; ${REOPEN}`,
      );
    }
    if (!remembersCodecs(meta)) {
      yield finding(
        "file",
        "The file does not say which codec its values are encoded with; open the store again, with that codec",
      );
      return;
    }
    const conflict = codecConflict(meta, this.#file.codecs, []);
    if (conflict) {
      yield finding(
        "file",
        `The store has other codecs than its file: ${conflict}`,
      );
    }
  }

  *#checkTriggers(): Generator<VerifyFinding> {
    const objects = this.#objects();
    if (isPlain(objects)) return;
    for (const problem of triggerProblems(objects)) {
      yield finding(
        "triggers",
        `${problem}, and changes may not have been logged; ${REOPEN}, and begins the change log anew`,
      );
    }
  }

  *#checkForeign(): Generator<VerifyFinding> {
    const objects = this.#objects();
    for (const object of foreignObjects(objects, TABLE_NAMES, TRIGGER_NAMES)) {
      yield finding("foreign", describeForeign(object));
    }
  }

  *#checkLog(): Generator<VerifyFinding> {
    if (!this.canRead("zestor_kv", "zestor_changes")) return;
    const objects = this.#objects();
    const isThere = objects.tables.has("sqlite_sequence");
    if (isThere && !this.canRead("sqlite_sequence")) return;
    const problem = logProblem(this.#query, objects);
    if (problem) {
      yield finding(
        "log",
        `${problem}; close every store of the file and open it again: the log begins anew`,
      );
    }
  }

  readonly #query = (sql: string): Row[] => this.#database.all(sql);

  #objects(): SchemaObjects {
    return readObjects(this.#query);
  }
}

/** Whether it is the table of another program, which has and needs no change log. */
function isPlain({ tables, triggers }: SchemaObjects): boolean {
  const found = TABLE_NAMES.filter((name) => tables.has(name));
  return found.join() === "zestor_kv" &&
    ![...TRIGGER_NAMES].some((name) => triggers.has(name));
}

function describeForeign({ type, name, table }: SchemaObject): string {
  return type === "trigger"
    ? `The trigger ${name} on ${table} is not the store's, and runs when somebody writes there; drop it, unless you know what it does`
    : `The index ${name} on ${table} is not the store's, and allows a value once: REPLACE removes entries for it, and the change log does not tell; drop it`;
}

function finding(part: VerifyPart, message: string): VerifyFinding {
  return { part, message };
}
