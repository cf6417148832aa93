/**
 * What a check looks at in a file: SQLite's own check, the tables and triggers,
 * and every row as it is, whoever wrote it.
 *
 * Names and versions are read by their bytes: bindings cut text at a NUL, make
 * U+FFFD of what is no UTF-8, and have no number for some integers.
 *
 * @module
 */
import { compareBytes } from "../../base/bytes.ts";
import type { KindCodecs } from "../../values/codecs/kind_codecs.ts";
import type { VerifyFinding, VerifyPart } from "../../contract/contract.ts";
import { StoreCorruptError } from "../../contract/errors.ts";
import type {
  FoundChange,
  FoundEntry,
  Moment,
  OwnVerification,
  Verifiable,
} from "../../local/storage.ts";
import type { Database } from "../connection/database.ts";
import type { Row, SqlValue } from "../driver/driver.ts";
import { codecConflict, remembersCodecs } from "../format/file_codecs.ts";
import type { OpenFiles } from "../file/open_files.ts";
import {
  GET_CHANGED_VALUE,
  LIST_FOUND_CHANGES,
  type Position,
  selectFoundEntries,
} from "./queries.ts";
import {
  FORMAT,
  logProblem,
  readMeta,
  TABLE_NAMES,
  triggerProblems,
  wrongTables,
} from "../format/schema.ts";
import {
  foreignObjects,
  readObjects,
  type SchemaObject,
  type SchemaObjects,
} from "../format/schema_objects.ts";
import { toDate } from "../format/time.ts";
import { TRIGGER_NAMES } from "../format/triggers.ts";

/** How many rows are read at once, at most. */
const MOST_ROWS = 64;

/** About how many bytes of values are read at once: it is not paused. */
const PAGE_BYTES = 256 * 1024;

/**
 * One row more than a check tells of. SQLite has no way to pause it. To check
 * each table by itself would hold the event loop for nearly as long, since the
 * entries take most of the time, and would not find a page that is used twice.
 */
const INTEGRITY_CHECK = "PRAGMA integrity_check(101)";

const RESTORE = "restore the file from a backup";
const REOPEN = "open the store again: it makes what is missing";

/** What the store knows of the file that it has open. */
export interface VerifiedFile {
  readonly codecs: KindCodecs;
  readonly files: OpenFiles;
}

/** A file as a check reads it. */
export class SqliteVerification implements Verifiable {
  readonly #database: Database;
  readonly #file: VerifiedFile;
  readonly #moment: Moment;
  readonly ownVerifications: readonly OwnVerification[] = [
    { part: "file", find: () => this.#checkFile() },
    { part: "file", find: () => this.#checkTables() },
    { part: "triggers", find: () => this.#checkTriggers() },
    // If the schema cannot be read, what is stored may not be sound.
    { part: "triggers", find: () => this.#checkForeign() },
    { part: "log", find: () => this.#checkLog() },
  ];
  /** Which tables there are, of the right shape. */
  #readable: ReadonlySet<string> = new Set();
  /** How many rows the next page has. */
  #limit = MOST_ROWS / 4;

  /** Takes the connection, what is known of its file, and the moment that it reads. */
  constructor(database: Database, file: VerifiedFile, moment: Moment) {
    this.#database = database;
    this.#file = file;
    this.#moment = moment;
  }

  get keepsWritesOut(): boolean {
    return this.#moment.keepsWritesOut;
  }

  close(): void {
    this.#moment.close();
  }

  *#checkFile(): Generator<VerifyFinding | undefined> {
    if (!this.#file.files.areInPlace()) {
      yield finding(
        "file",
        "The file that is open is no longer the one at its path: it was moved, replaced or deleted, and nothing can be written here; close every store that has it open, and open it again",
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
    const wrong = wrongTables(this.#query, objects);
    for (const [, problem] of wrong) {
      yield finding("file", `The file has ${problem}; ${RESTORE}`);
    }
    this.#readable = new Set(
      [...TABLE_NAMES, "sqlite_sequence"].filter((name) =>
        objects.tables.has(name) && !wrong.has(name)
      ),
    );
    if (isPlain(objects)) return;
    for (const name of TABLE_NAMES) {
      if (objects.tables.has(name)) continue;
      yield finding("file", `The table ${name} is missing; ${REOPEN}`);
    }
    if (this.#readable.has("zestor_meta")) yield* this.#checkMeta();
  }

  *#checkMeta(): Generator<VerifyFinding> {
    const meta = readMeta(this.#query);
    const format = meta.get("format");
    if (format !== String(FORMAT)) {
      yield finding(
        "file",
        `The file says that its format is ${format}, and was opened as one of format ${FORMAT}; set it right in zestor_meta`,
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
    if (!this.#canRead("zestor_kv", "zestor_changes")) return;
    const objects = this.#objects();
    const isThere = objects.tables.has("sqlite_sequence");
    if (isThere && !this.#canRead("sqlite_sequence")) return;
    const problem = logProblem(this.#query, objects);
    if (problem) {
      yield finding(
        "log",
        `${problem}; close every store of the file and open it again: the log begins anew`,
      );
    }
  }

  *entries(): Generator<FoundEntry> {
    if (!this.#canRead("zestor_kv")) return;
    let last: Row | undefined;
    let position: Position = "start";
    for (;;) {
      const limit = this.#limit;
      const rows = this.#entriesPast(position, last, limit);
      for (const row of rows) {
        if (last && !isPast(row, last)) throw notInOrder("entries");
        last = row;
        yield toEntry(row);
      }
      if (rows.length === limit) position = "key";
      // There are no more of that kind.
      else if (position === "key") position = "kind";
      else return;
    }
  }

  #entriesPast(
    position: Position,
    last: Row | undefined,
    limit: number,
  ): Row[] {
    if (!last) return this.#page(selectFoundEntries("start"), limit);
    const { kind, key, kindType, keyType } = last;
    const params = position === "key" ? [kind, key] : [kind];
    const sql = selectFoundEntries(position, { kindType, keyType });
    return this.#page(sql, ...params, limit);
  }

  *changes(): Generator<FoundChange> {
    if (!this.#canRead("zestor_changes")) return;
    let rows: Row[];
    let limit: number;
    let after = 0;
    do {
      limit = this.#limit;
      rows = this.#page(LIST_FOUND_CHANGES, after, limit);
      for (const row of rows) {
        const revision = row.revision as number;
        if (revision <= after) throw notInOrder("changes");
        after = revision;
        yield toChange(row);
      }
    } while (rows.length === limit);
  }

  /** Reads some rows, and sets how many the next page has by how large these are. */
  #page(sql: string, ...params: SqlValue[]): Row[] {
    const rows = this.#database.all(sql, ...params);
    if (rows.length === 0) return rows;
    const bytes = rows.reduce((sum, row) => sum + sizeOf(row), 1);
    const fitting = Math.floor(rows.length * PAGE_BYTES / bytes);
    const most = Math.min(this.#limit * 2, MOST_ROWS);
    this.#limit = Math.max(1, Math.min(fitting, most));
    return rows;
  }

  valueOf(revision: number): Uint8Array | undefined {
    return bytesOf(this.#database.get(GET_CHANGED_VALUE, revision)?.value);
  }

  readonly #query = (sql: string): Row[] => this.#database.all(sql);

  #objects(): SchemaObjects {
    return readObjects(this.#query);
  }

  #canRead(...tables: string[]): boolean {
    return tables.every((table) => this.#readable.has(table));
  }
}

/** About how many bytes a row has. */
function sizeOf(row: Row): number {
  let size = 0;
  for (const name in row) {
    const value = row[name];
    if (value instanceof Uint8Array) size += value.byteLength;
    else if (typeof value === "string") size += value.length;
  }
  return size;
}

/** Whether it is the table of another program, which has no change log and needs none. */
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

/** In a damaged tree what is read may lead back: it would never end. */
function notInOrder(what: string): StoreCorruptError {
  return new StoreCorruptError(
    `Cannot verify the ${what}: they are not in order; ${RESTORE}`,
  );
}

/** Whether a row comes after another one, as SQLite orders text, then blobs. */
function isPast(row: Row, before: Row): boolean {
  const order = compareNames(before, row, "kind") ||
    compareNames(before, row, "key");
  return order < 0;
}

function compareNames(a: Row, b: Row, name: "kind" | "key"): number {
  const types = [a, b].map((row) => Number(row[`${name}Type`] === "blob"));
  if (types[0] !== types[1]) return types[0] - types[1];
  const [x, y] = [a[name], b[name]];
  // Of damage, no name at all.
  if (!(x instanceof Uint8Array && y instanceof Uint8Array)) return 0;
  return compareBytes(x, y);
}

function toEntry(row: Row): FoundEntry {
  return {
    kind: nameOf(row.kind, row.kindType),
    key: nameOf(row.key, row.keyType),
    value: bytesOf(row.value),
    version: numberOf(row.version, row.versionType),
    updatedAt: toDate(row.updated_at),
  };
}

function toChange(row: Row): FoundChange {
  return {
    revision: row.revision as number,
    kind: nameOf(row.kind, row.kindType),
    key: nameOf(row.key, row.keyType),
    type: row.type,
    version: numberOf(row.version, row.versionType),
    value: bytesOf(row.value),
    previous: bytesOf(row.previous),
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A name as a string, or as what it is instead. */
function nameOf(bytes: SqlValue, type: SqlValue): unknown {
  if (type !== "text") return bytes;
  try {
    return decoder.decode(bytes as Uint8Array);
  } catch {
    return bytes;
  }
}

function numberOf(text: SqlValue, type: SqlValue): unknown {
  return type === "integer" || type === "real" ? Number(text) : text;
}

function bytesOf(value: SqlValue | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}
