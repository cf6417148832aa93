/**
 * The columns of a page that is read as one row: the values are one blob, and
 * each other column is a JSON array. A column that holds something else than
 * a store writes gives `undefined`.
 *
 * @module
 */
import { decodeUtf8, equalBytes } from "../../base/bytes.ts";
import type { Database } from "../connection/database.ts";
import type { SqlValue } from "../driver/driver.ts";
import { expiryOf } from "./rows.ts";
import { SEPARATOR, TRIED_TEXTS, TRY_TEXTS } from "./text_queries.ts";

/** What a connection's library can do. */
export class TextSupport {
  readonly #database: Database;
  /** `undefined` if that is not known yet. */
  #keepsBytes: boolean | undefined;

  /** Takes the connection. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether the library keeps the bytes that it puts together. */
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

/** The texts in a JSON array; `undefined` if one of them is none, or a binding would alter it. */
export function stringsOf(list: SqlValue): string[] | undefined {
  if (typeof list !== "string") return undefined;
  // A NUL, or what is no UTF-8.
  if (list.includes("\\u0000") || list.includes("\ufffd")) return undefined;
  const strings: unknown[] = JSON.parse(list);
  return strings.every((it) => typeof it === "string") ? strings : undefined;
}

/** The values, if they are so many, and UTF-8. */
export function textsOf(bytes: SqlValue, count: number): string[] | undefined {
  if (count === 0) return [];
  if (!(bytes instanceof Uint8Array)) return undefined;
  const text = decodeUtf8(bytes);
  const texts = text?.split(SEPARATOR);
  return texts?.length === count ? texts : undefined;
}

/** The numbers in a JSON array, if they are safe integers. */
export function integersOf(list: SqlValue): number[] | undefined {
  const integers = numbersOf(list, /^[[\],\d-]*$/) as number[] | undefined;
  return integers?.every(Number.isSafeInteger) ? integers : undefined;
}

/** The same of `expires_at`, which may be missing. */
export function expiriesOf(list: SqlValue): (number | undefined)[] | undefined {
  const expiries = numbersOf(list, /^[[\],\dnul-]*$/);
  const areSafe = expiries?.every((at) =>
    at === null || Number.isSafeInteger(at)
  );
  return areSafe
    ? expiries!.map((expires_at) => expiryOf({ expires_at }))
    : undefined;
}

/** A JSON array of integers; SQLite writes another number with a point or an "e". */
function numbersOf(
  list: SqlValue,
  pattern: RegExp,
): (number | null)[] | undefined {
  return typeof list === "string" && pattern.test(list)
    ? JSON.parse(list)
    : undefined;
}
