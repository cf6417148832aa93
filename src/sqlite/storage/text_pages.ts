/**
 * Reads a page as one row. It works only if all values are small UTF-8 text. For
 * other pages it returns `undefined`, and the caller reads them row by row.
 *
 * The invariant: a page equals the result of a read row by row. The values are
 * joined with a separator byte. If a value contains that byte, the page has more
 * parts than keys, and is refused. No value can remove a separator.
 *
 * @module
 */
import {
  type Page,
  PAGE_BYTES,
  PAGE_ENTRIES,
  type PageOptions,
} from "../../engine/page.ts";
import { TextEntry, TextValue } from "../../engine/entries.ts";
import { compareKeys } from "../../keys/key_order.ts";
import { isInRange, type KeyRange, rangePast } from "../../keys/key_range.ts";
import type { Database } from "../connection/database.ts";
import { type Row, SqlError, type SqlValue } from "../driver/driver.ts";
import { toDate } from "../format/time.ts";
import { rangeParams } from "./queries.ts";
import {
  expiriesOf,
  integersOf,
  stringsOf,
  textsOf,
  TextSupport,
} from "./text_columns.ts";
import {
  MOST_TEXT_BYTES,
  selectTexts,
  type TextsRead,
} from "./text_queries.ts";

/** How many pages of a kind are read row by row after a page that was not text. */
const PAGES_BY_ROWS = 16;

/** The most kinds that are remembered as read row by row. */
const MOST_KINDS = 1000;

/** Reads pages as text through one connection. */
export class TextPages {
  readonly #database: Database;
  readonly #support: TextSupport;
  /** How many more pages of a kind are read row by row. */
  readonly #byRows = new Map<string, number>();

  /** Takes the connection. */
  constructor(database: Database) {
    this.#database = database;
    this.#support = new TextSupport(database);
  }

  /**
   * A page of keys and values that have not expired at a time; `undefined` if
   * the caller must read it row by row.
   */
  readValues(
    kind: string,
    range: KeyRange,
    page: PageOptions,
    now: number,
  ): Page<TextValue> | undefined {
    return this.#read("value", valuesOf, kind, range, page, now);
  }

  /** A page of whole entries; `undefined` if the caller must read it row by row. */
  readEntries(
    kind: string,
    range: KeyRange,
    page: PageOptions,
    now: number,
  ): Page<TextEntry> | undefined {
    return this.#read("entry", entriesOf, kind, range, page, now);
  }

  #read<T extends TextValue>(
    columns: TextsRead["columns"],
    itemsOf: (row: Row) => T[] | undefined,
    kind: string,
    range: KeyRange,
    { asText, limit = PAGE_ENTRIES, bytes = PAGE_BYTES, reverse = false }:
      PageOptions,
    now: number,
  ): Page<T> | undefined {
    if (!asText || this.#isByRows(kind)) return undefined;
    // The page fits its limit even if each value has the largest size.
    const most = Math.min(limit, Math.floor(bytes / MOST_TEXT_BYTES));
    if (most === 0) return undefined;
    const row = this.#readRow(columns, kind, range, reverse, now, most);
    const items = row && itemsOf(row);
    if (!items || !areInOrder(items, range, reverse)) {
      this.#readByRows(kind);
      return undefined;
    }
    const last = items.length === most ? items.at(-1) : undefined;
    return { items, rest: last && rangePast(range, last.key, reverse) };
  }

  /** The row of a page; `undefined` if SQLite fails. Then the read row by row gets the error. */
  #readRow(
    columns: TextsRead["columns"],
    kind: string,
    range: KeyRange,
    reverse: boolean,
    now: number,
    limit: number,
  ): Row | undefined {
    const params = rangeParams(kind, range);
    const read = (there: boolean, params: SqlValue[]) => {
      const sql = selectTexts({ columns, range, reverse, there });
      return this.#database.get(sql, ...params, limit);
    };
    try {
      if (!this.#support.areBytesKept()) return undefined;
      const row = read(false, [now, ...params]);
      return row?.has_expired ? read(true, [...params, now]) : row;
    } catch (error) {
      if (error instanceof SqlError) return undefined;
      throw error;
    }
  }

  #isByRows(kind: string): boolean {
    if (this.#byRows.size === 0) return false;
    const left = this.#byRows.get(kind);
    if (left === undefined) return false;
    if (left === 1) this.#byRows.delete(kind);
    else this.#byRows.set(kind, left - 1);
    return true;
  }

  #readByRows(kind: string): void {
    if (this.#byRows.size === MOST_KINDS) this.#byRows.clear();
    this.#byRows.set(kind, PAGES_BY_ROWS);
  }
}

/** The keys and values of a page; `undefined` if one is not text. */
function valuesOf(row: Row): TextValue[] | undefined {
  const keys = stringsOf(row.key);
  const texts = keys && textsOf(row.texts, keys.length);
  return texts && keys.map((key, i) => new TextValue(key, texts[i]));
}

/** The entries of a page; `undefined` if a value is not text, or if a store did not write one of them. */
function entriesOf(row: Row): TextEntry[] | undefined {
  const keys = stringsOf(row.key);
  const texts = keys && textsOf(row.texts, keys.length);
  const versions = integersOf(row.version);
  const revisions = integersOf(row.revision);
  const times = stringsOf(row.updated_at);
  const expiries = expiriesOf(row.expires_at);
  if (!texts || !versions || !revisions || !times || !expiries) {
    return undefined;
  }
  let date!: Date;
  return keys.map((key, i) => {
    // Entries that were written together have the same time.
    const isSame = i > 0 && times[i] === times[i - 1];
    date = isSame ? new Date(date) : toDate(times[i]);
    return new TextEntry(key, texts[i], {
      version: versions[i],
      revision: revisions[i],
      updatedAt: date,
      expiresAt: expiries[i],
    });
  });
}

/** Whether items are in the right order, and in their range. */
function areInOrder(
  items: readonly TextValue[],
  range: KeyRange,
  reverse: boolean,
): boolean {
  for (let i = 1; i < items.length; i++) {
    const order = compareKeys(items[i - 1].key, items[i].key);
    if (reverse ? order <= 0 : order >= 0) return false;
  }
  const last = items.at(-1);
  return last === undefined || isInRange(range, last.key);
}
