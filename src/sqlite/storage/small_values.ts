/**
 * How a statement reads small values whole, and of others the size: see
 * `boundedRows`.
 *
 * @module
 */
import { PAGE_BYTES, PAGE_ENTRIES } from "../../engine/page.ts";

/** Which values are read whole: all, or small ones, and of others the size in bytes. */
export type WholeValues = "all" | "small";

/** Up to how many bytes a value is small. A page of small values is within its bound. */
export const SMALL_BYTES = PAGE_BYTES / PAGE_ENTRIES;

/**
 * SQLite tells the length of a blob without reading the blob. Of text it would
 * be that up to a NUL, in characters.
 */
const sizeOf = (value: "value" | "previous") =>
  `CASE typeof(${value}) WHEN 'blob' THEN length(${value})
    ELSE length(CAST(${value} AS BLOB)) END`;

/** A value if it is small, or else how many bytes it has. */
export const smallOrSize = (value: "value" | "previous", isSmall: string) =>
  `CASE WHEN typeof(${value}) = 'blob' AND ${isSmall}
  THEN ${value} ELSE ${sizeOf(value)} END`;
