/**
 * How columns are read that others may have written, so that every driver reads
 * the same.
 *
 * @module
 */
import { LAST_NUMBER } from "../../engine/last_number.ts";

/** A value in bytes: others may have stored it as text. */
export const VALUE_AS_BLOB = "CAST(value AS BLOB)";

/** The same as the column `value`. */
export const VALUE = `${VALUE_AS_BLOB} AS value`;

/**
 * A name, or NULL if it holds a NUL: bindings cut text there, and it would be
 * taken for another name. The result is no column: to order by one, name the
 * table.
 */
export function whole(name: "kind" | "key"): string {
  return `CASE WHEN instr(${name}, char(0)) = 0 THEN ${name} END AS ${name}`;
}

/**
 * An integer, or its text if it is no safe integer: a binding fails at such
 * a one, and the error must be the store's on every driver.
 */
export function safe(expression: string): string {
  return `CASE WHEN ${expression} BETWEEN -${LAST_NUMBER} AND ${LAST_NUMBER} THEN ${expression} ELSE CAST(${expression} AS TEXT) END`;
}

/** The same as a column. */
export function integer(name: string, expression = name): string {
  return `${safe(expression)} AS ${name}`;
}

/** An entry's or a change's version. */
export const VERSION = integer("version");
