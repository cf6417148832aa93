/**
 * Reads of columns that others may have written, with the same result on every
 * driver.
 *
 * @module
 */
import { LAST_NUMBER } from "../../engine/last_number.ts";

/** A value as bytes, because others may have stored it as text. */
export const VALUE_AS_BLOB = "CAST(value AS BLOB)";

/** The same, as the column `value`. */
export const VALUE = `${VALUE_AS_BLOB} AS value`;

/**
 * A name, or NULL if it contains a NUL: bindings would cut the text there, and
 * return another name. The result is not a column, so to sort by it, name the
 * table.
 */
export function whole(name: "kind" | "key"): string {
  return `CASE WHEN instr(${name}, char(0)) = 0 THEN ${name} END AS ${name}`;
}

/**
 * An integer, or its text if it is not a safe integer. A binding would fail at
 * such an integer, but the error must be the store's on every driver.
 */
export function safe(expression: string): string {
  return `CASE WHEN ${expression} BETWEEN -${LAST_NUMBER} AND ${LAST_NUMBER} THEN ${expression} ELSE CAST(${expression} AS TEXT) END`;
}

/** The same, as a column. */
export function integer(name: string, expression = name): string {
  return `${safe(expression)} AS ${name}`;
}

/** An entry's or a change's version. */
export const VERSION = integer("version");
