/**
 * Reads rows whose values together have no more than so many bytes. A binding
 * hands over all rows of a statement at once, so the SQL has to keep the bound.
 *
 * The first statement gives small values whole, and of each larger one the size
 * alone. If one of the rows that fit has a larger value, a second statement
 * reads these rows again, whole. Where all values are small, as most are, one
 * statement does.
 *
 * @module
 */
import { countFitting, PAGE_ENTRIES } from "../../engine/page.ts";
import type { Database } from "../connection/database.ts";
import type { Row, SqlValue } from "../driver/driver.ts";

/** A statement with its parameters, but the last, which is the limit. */
export interface Select {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** What to read. The columns `value` and `previous` are values, or the sizes of some. */
export interface BoundedRead {
  /** Gives small values whole, and of others the size. */
  readonly small: Select;
  /** The same with every value whole: up to a row of the first, or to the end. */
  wholeUpTo(last: Row | undefined): Select;
  /** At most so many rows. @default {PAGE_ENTRIES} */
  readonly limit?: number;
  /** At most so many bytes of values; one row that has more is read alone. */
  readonly bytes: number;
}

/** The rows that fit. */
export interface BoundedRows {
  readonly rows: Row[];
  /** The row past which there may be others; absent where there are none. */
  readonly last?: Row;
}

/**
 * Reads the rows. Outside a transaction another process may write between the
 * statements: then it gives what the second finds, which may be larger.
 */
export function boundedRows(
  database: Database,
  { small, wholeUpTo, limit = PAGE_ENTRIES, bytes }: BoundedRead,
): BoundedRows {
  const read = ({ sql, params }: Select): BoundedRows => {
    const rows = database.all(sql, ...params, limit);
    return { rows, last: rows.length === limit ? rows.at(-1) : undefined };
  };
  const first = read(small);
  const fitting = countFitting(first.rows.values().map(sizeOf), bytes);
  const isCut = fitting < first.rows.length;
  const rows = isCut ? first.rows.slice(0, fitting) : first.rows;
  const last = isCut ? rows.at(-1) : first.last;
  if (!rows.some(isLarge)) return { rows, last };
  const whole = read(wholeUpTo(isCut ? last : undefined));
  return { rows: whole.rows, last: whole.last ?? (isCut ? last : undefined) };
}

function isLarge({ value, previous }: Row): boolean {
  return typeof value === "number" || typeof previous === "number";
}

function sizeOf({ value, previous }: Row): number {
  return bytesOf(value) + bytesOf(previous);
}

function bytesOf(value: SqlValue | undefined): number {
  if (typeof value === "number") return value;
  return value instanceof Uint8Array ? value.byteLength : 0;
}
