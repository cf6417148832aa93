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
import { countFitting, PAGE_ENTRIES } from "../storage/page.ts";
import type { Database } from "./database.ts";
import type { Row, SqlValue } from "./driver/driver.ts";

/** What to read. The column `value` is a value, or the size of one. */
export interface BoundedRead {
  /** The statement that gives small values whole, and of others the size. */
  readonly small: string;
  /** The same with every value whole. */
  readonly whole: string;
  /** The parameters of both, but the last, which is the limit. */
  readonly params: readonly SqlValue[];
  /** At most so many rows. @default {PAGE_ENTRIES} */
  readonly limit?: number;
  /** At most so many bytes of values; one row that has more is read alone. */
  readonly bytes: number;
}

/** The rows that fit. */
export interface BoundedRows {
  readonly rows: Row[];
  /** Whether there may be others. */
  readonly isCut: boolean;
}

/** Reads the rows. Outside a transaction, another process may make them larger meanwhile. */
export function boundedRows(
  database: Database,
  { small, whole, params, limit = PAGE_ENTRIES, bytes }: BoundedRead,
): BoundedRows {
  const rows = database.all(small, ...params, limit);
  const fitting = countFitting(rows.values().map(sizeOf), bytes);
  const found = fitting < rows.length ? rows.slice(0, fitting) : rows;
  if (!found.some(isLarge)) {
    return { rows: found, isCut: fitting < rows.length || fitting === limit };
  }
  const read = database.all(whole, ...params, fitting);
  return { rows: read, isCut: read.length === fitting };
}

function isLarge({ value }: Row): boolean {
  return typeof value === "number";
}

function sizeOf({ value }: Row): number {
  if (typeof value === "number") return value;
  return value instanceof Uint8Array ? value.byteLength : 0;
}
