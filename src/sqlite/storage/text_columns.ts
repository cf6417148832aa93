/**
 * Reads the columns of a page that is one row. The values are one blob, and each
 * other column is a JSON array. Each function returns `undefined` for a column
 * that a store would not write.
 *
 * @module
 */
import { decodeUtf8, equalBytes } from "../../base/bytes.ts";
import type { Database } from "../connection/database.ts";
import type { SqlValue } from "../driver/driver.ts";
import { expiryOf } from "./rows.ts";
import { SEPARATOR, TRIED_TEXTS, TRY_TEXTS } from "./text_queries.ts";

/** Tests whether a connection's SQLite library supports pages as text. */
export class TextSupport {
  readonly #database: Database;
  /** `undefined` if it is not tested yet. */
  #keepsBytes: boolean | undefined;

  /** Takes the connection. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether the library keeps the bytes of concatenated values unchanged. */
  areBytesKept(): boolean {
    if (this.#keepsBytes === undefined) {
      const { texts, key } = this.#database.get(TRY_TEXTS) ?? {};
      this.#keepsBytes = texts instanceof Uint8Array &&
        equalBytes(texts, TRIED_TEXTS.texts) &&
        key === JSON.stringify(TRIED_TEXTS.key);
    }
    return this.#keepsBytes;
  }
}

/** The texts in a JSON array; `undefined` if an item is not text, or if a binding would change it. */
export function stringsOf(list: SqlValue): string[] | undefined {
  if (typeof list !== "string") return undefined;
  // A NUL, or bytes that are not UTF-8.
  if (list.includes("\\u0000") || list.includes("\ufffd")) return undefined;
  const strings: unknown[] = JSON.parse(list);
  return strings.every((it) => typeof it === "string") ? strings : undefined;
}

/** The values; `undefined` if they are not UTF-8, or if their number is not `count`. */
export function textsOf(bytes: SqlValue, count: number): string[] | undefined {
  if (count === 0) return [];
  if (!(bytes instanceof Uint8Array)) return undefined;
  const text = decodeUtf8(bytes);
  const texts = text?.split(SEPARATOR);
  return texts?.length === count ? texts : undefined;
}

/** The numbers in a JSON array; `undefined` if one is not a safe integer. */
export function integersOf(list: SqlValue): number[] | undefined {
  const integers = numbersOf(list, /^[[\],\d-]*$/) as number[] | undefined;
  return integers?.every(Number.isSafeInteger) ? integers : undefined;
}

/** The values of `expires_at` in a JSON array, in which each may be missing. */
export function expiriesOf(list: SqlValue): (number | undefined)[] | undefined {
  const expiries = numbersOf(list, /^[[\],\dnul-]*$/);
  const areSafe = expiries?.every((at) =>
    at === null || Number.isSafeInteger(at)
  );
  return areSafe
    ? expiries!.map((expires_at) => expiryOf({ expires_at }))
    : undefined;
}

/** Reads a JSON array of integers. SQLite writes any other number with a point or an "e". */
function numbersOf(
  list: SqlValue,
  pattern: RegExp,
): (number | null)[] | undefined {
  return typeof list === "string" && pattern.test(list)
    ? JSON.parse(list)
    : undefined;
}
