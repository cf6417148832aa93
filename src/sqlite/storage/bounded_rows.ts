/**
 * Reads rows with a limit on the total bytes of their values. A binding returns
 * all rows of a statement at once, so the SQL must apply the limit.
 *
 * The first statement returns small values, and only the size of each larger
 * one. If one of the rows that fit has a larger value, a second statement reads
 * these rows again, with all values. Most values are small, so one statement is
 * usually enough.
 *
 * @module
 */
import { countFitting, PAGE_ENTRIES } from "../../engine/page.ts";
import type { Database } from "../connection/database.ts";
import type { Row, SqlValue } from "../driver/driver.ts";

/** A statement with all of its parameters, except the last one, which is the limit. */
export interface Select {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** The rows to read. The columns `value` and `previous` contain values, or the sizes of some. */
export interface BoundedRead {
  /** Returns small values, and the sizes of the others. */
  readonly small: Select;
  /** The same with all values: up to a row of the first statement, or to the end. */
  wholeUpTo(last: Row | undefined): Select;
  /** The largest number of rows. @default {PAGE_ENTRIES} */
  readonly limit?: number;
  /** The largest number of bytes of values. A row with more is read alone. */
  readonly bytes: number;
}

/** The rows that fit. */
export interface BoundedRows {
  readonly rows: Row[];
  /** The last row after which there may be others. Absent if there are none. */
  readonly last?: Row;
}

/**
 * Reads the rows. Outside a transaction, another process may write between the
 * statements. Then the result is that of the second statement, which may be
 * larger.
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
