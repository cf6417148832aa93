/**
 * SQL that reads small values whole, and only the size of larger ones: see
 * `boundedRows`.
 *
 * @module
 */
import { PAGE_BYTES, PAGE_ENTRIES } from "../../engine/page.ts";

/** Which values are read whole: all, or only small ones. A larger value is read as its size in bytes. */
export type WholeValues = "all" | "small";

/** The most bytes of a small value. A full page of small values fits the limit of a page. */
export const SMALL_BYTES = PAGE_BYTES / PAGE_ENTRIES;

/**
 * SQLite knows the length of a blob without reading the blob. The length of text
 * is in characters, and ends at a NUL, so text is cast to a blob.
 */
const sizeOf = (value: "value" | "previous") =>
  `CASE typeof(${value}) WHEN 'blob' THEN length(${value})
    ELSE length(CAST(${value} AS BLOB)) END`;

/** A value if it is small, otherwise its size in bytes. */
export const smallOrSize = (value: "value" | "previous", isSmall: string) =>
  `CASE WHEN typeof(${value}) = 'blob' AND ${isSmall}
  THEN ${value} ELSE ${sizeOf(value)} END`;
