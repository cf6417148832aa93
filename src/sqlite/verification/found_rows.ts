/**
 * Reads every row as it is, even if others wrote it.
 *
 * Names and versions are read as bytes, because bindings cut text at a NUL,
 * turn invalid UTF-8 into U+FFFD, and cannot express some integers.
 *
 * @module
 */
import { compareBytes } from "../../base/bytes.ts";
import { StoreCorruptError } from "../../contract/errors.ts";
import type { FoundChange, FoundEntry } from "../../local/storage.ts";
import type { Database } from "../connection/database.ts";
import type { Row, SqlValue } from "../driver/driver.ts";
import { hasChecksum } from "../format/large_values.ts";
import { toDate } from "../format/time.ts";
import {
  GET_CHANGED_VALUE,
  LIST_FOUND_CHANGES,
  type Position,
  selectFoundEntries,
} from "./queries.ts";

/** How many rows are read at once, at most. */
const MOST_ROWS = 64;

/** About how many bytes of values are read at once, without a pause. */
const PAGE_BYTES = 256 * 1024;

/** The rows of one connection. The tables must have the right shape. */
export class FoundRows {
  readonly #database: Database;
  /** The number of rows of the next page. */
  #limit = MOST_ROWS / 4;

  /** Takes the connection. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Every entry, by kind and key. */
  *entries(): Generator<FoundEntry> {
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
      // There are no more rows of that kind.
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

  /** Every change in the log, by revision. */
  *changes(): Generator<FoundChange> {
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

  /** Reads some rows. Their size determines the number of rows of the next page. */
  #page(sql: string, ...params: SqlValue[]): Row[] {
    const rows = this.#database.all(sql, ...params);
    if (rows.length === 0) return rows;
    const bytes = rows.reduce((sum, row) => sum + sizeOf(row), 1);
    const fitting = Math.floor(rows.length * PAGE_BYTES / bytes);
    const most = Math.min(this.#limit * 2, MOST_ROWS);
    this.#limit = Math.max(1, Math.min(fitting, most));
    return rows;
  }

  /** The value that a change wrote. */
  valueOf(revision: number): Uint8Array | undefined {
    return bytesOf(this.#database.get(GET_CHANGED_VALUE, revision)?.value);
  }
}

/** The approximate number of bytes of a row. */
function sizeOf(row: Row): number {
  let size = 0;
  for (const name in row) {
    const value = row[name];
    if (value instanceof Uint8Array) size += value.byteLength;
    else if (typeof value === "string") size += value.length;
  }
  return size;
}

/** In a damaged tree, the rows may lead back, and reading would never end. */
function notInOrder(what: string): StoreCorruptError {
  return new StoreCorruptError(
    `Cannot verify the ${what}: they are not in order; restore the file from a backup`,
  );
}

/** Whether a row comes after another one. SQLite orders text before blobs. */
function isPast(row: Row, before: Row): boolean {
  const order = compareNames(before, row, "kind") ||
    compareNames(before, row, "key");
  return order < 0;
}

function compareNames(a: Row, b: Row, name: "kind" | "key"): number {
  const types = [a, b].map((row) => Number(row[`${name}Type`] === "blob"));
  if (types[0] !== types[1]) return types[0] - types[1];
  const [x, y] = [a[name], b[name]];
  // Damage may leave a value that is not a name.
  if (!(x instanceof Uint8Array && y instanceof Uint8Array)) return 0;
  return compareBytes(x, y);
}

function toEntry(row: Row): FoundEntry {
  return {
    kind: nameOf(row.kind, row.kindType),
    key: nameOf(row.key, row.keyType),
    value: bytesOf(row.value),
    version: numberOf(row.version, row.versionType),
    revision: numberOf(row.revision, row.revisionType),
    updatedAt: toDate(row.updated_at),
    expiresAt: row.expiresAt === null
      ? undefined
      : numberOf(row.expiresAt, row.expiresAtType),
  };
}

function toChange(row: Row): FoundChange {
  return {
    revision: row.revision as number,
    kind: nameOf(row.kind, row.kindType),
    key: nameOf(row.key, row.keyType),
    // The check of the log does not need the reason of a removal.
    type: row.type === "expire" ? "delete" : row.type,
    version: numberOf(row.version, row.versionType),
    value: bytesOf(row.value),
    previous: bytesOf(row.previous),
    previousRevision: row.previousRevision === null
      ? undefined
      : numberOf(row.previousRevision, row.previousRevisionType),
    isEarlier: row.isEarlier === 1,
    problem: row.problem === null ? valueProblem(row) : String(row.problem),
  };
}

/** A large value is stored only once, so its checksum shows damage. */
function valueProblem({ value, checksum }: Row): string | undefined {
  const isWrong = typeof checksum === "number" &&
    value instanceof Uint8Array && !hasChecksum(value, checksum);
  return isWrong
    ? "wrote a value that is damaged, as its checksum tells"
    : undefined;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A name as a string, or the stored value if it is not text. */
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
