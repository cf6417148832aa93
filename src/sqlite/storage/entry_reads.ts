/**
 * Reads entries, in key order: those that have not expired.
 *
 * The expiry is stored after the value, so reading it means reading the whole
 * value. So a read of many entries first asks the index of expiries whether an
 * expired entry is still there, which is rare. A read of values asks in the
 * statement itself; other reads ask before it, because they only use the index
 * of the primary key.
 *
 * @module
 */
import { quoteText } from "../../base/messages.ts";
import { StoreCorruptError, type StoreError } from "../../contract/errors.ts";
import { type KeyRange, rangeBefore, rangeUpTo } from "../../keys/key_range.ts";
import {
  type Page,
  PAGE_BYTES,
  PAGE_ENTRIES,
  type PageOptions,
} from "../../engine/page.ts";
import type {
  EntryState,
  StoredEntry,
  StoredValue,
} from "../../engine/entries.ts";
import type { Database } from "../connection/database.ts";
import type { Row, SqlValue } from "../driver/driver.ts";
import { boundedRows, type Select } from "./bounded_rows.ts";
import type { Clock } from "./clock.ts";
import {
  type Columns,
  COUNT_KINDS,
  COUNT_KINDS_THERE,
  countRange,
  GET_ENTRY,
  GET_STATE,
  GET_VALUE,
  HAS_EXPIRED,
  LIST_KINDS,
  LIST_KINDS_THERE,
  NEXT_EXPIRY,
  rangeParams,
  selectRange,
  selectUnnamed,
  type Which,
  whichParams,
} from "./queries.ts";
import type { WholeValues } from "./small_values.ts";
import {
  nameOf,
  restPast,
  toEntry,
  toState,
  toValue,
  valueOf,
} from "./rows.ts";
import { TextPages } from "./text_pages.ts";

/** A page reports this many entries with incomplete keys. */
const MOST_UNNAMED = PAGE_ENTRIES;

/** The entries that a statement reads, and its parameters for that. */
interface Selection {
  readonly which: Which;
  readonly params: readonly SqlValue[];
}

/** Reads the entries of one connection. It has the reading methods of `Entries`. */
export class EntryReads {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #texts: TextPages;

  /** Takes the connection, and its clock. */
  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#texts = new TextPages(database);
  }

  getValue(kind: string, key: string): Uint8Array | undefined {
    const row = this.#database.get(GET_VALUE, kind, key, this.#clock.now());
    return row && valueOf(row);
  }

  getEntry(kind: string, key: string): StoredEntry | undefined {
    const row = this.#database.get(GET_ENTRY, kind, key, this.#clock.now());
    return row && toEntry(row);
  }

  getState(kind: string, key: string): EntryState | undefined {
    const row = this.#database.get(GET_STATE, kind, key, this.#clock.now());
    return row && toState(row);
  }

  readSome(kind: string, keys: readonly string[]): StoredValue[] {
    return keys.flatMap((key) => {
      const value = this.getValue(kind, key);
      return value ? [{ key, value }] : [];
    });
  }

  readKeys(
    kind: string,
    range: KeyRange,
    page: PageOptions = {},
  ): Page<string> {
    return this.#pastUnreadable(
      kind,
      range,
      page,
      (isWhole) => this.#readKeys(kind, range, page, isWhole),
    );
  }

  #readKeys(
    kind: string,
    range: KeyRange,
    { limit = PAGE_ENTRIES, reverse = false }: PageOptions,
    isWhole: boolean,
  ): Page<string> {
    const { which, params } = this.#selection();
    const values = "all";
    const rows = this.#database.all(
      selectRange({ columns: "key", range, reverse, values, which, isWhole }),
      ...rangeParams(kind, range),
      ...params,
      limit,
    );
    const keys = rows.map((row) => nameOf(row.key));
    const last = keys.length === limit ? keys.at(-1) : undefined;
    const rest = last === undefined
      ? undefined
      : restPast(range, last, reverse);
    return { items: keys, rest };
  }

  readValues(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredValue> {
    const time = this.#clock.now();
    return page?.asText && this.#texts.readValues(kind, range, page, time) ||
      this.#readPage("value", toValue, kind, range, page);
  }

  readEntries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredEntry> {
    const time = this.#clock.now();
    return page?.asText && this.#texts.readEntries(kind, range, page, time) ||
      this.#readPage("entry", toEntry, kind, range, page);
  }

  #readPage<T extends StoredValue>(
    columns: Columns,
    toItem: (row: Row) => T,
    kind: string,
    range: KeyRange,
    page: PageOptions = {},
  ): Page<T> {
    return this.#pastUnreadable(kind, range, page, (isWhole) => {
      const { rows, rest } = this.#readRows(
        columns,
        kind,
        range,
        page,
        isWhole,
      );
      const items = isWhole
        ? rows.flatMap((row) => itemOf(row, toItem, page.onUnreadable!))
        : rows.map(toItem);
      return { items, rest };
    });
  }

  #readRows(
    columns: Columns,
    kind: string,
    range: KeyRange,
    { limit, bytes = PAGE_BYTES, reverse = false }: PageOptions,
    isWhole: boolean,
  ): { readonly rows: Row[]; readonly rest: KeyRange | undefined } {
    const which = "thereOrAll";
    const params = whichParams(which, this.#clock.now());
    const select = (range: KeyRange, values: WholeValues): Select => ({
      sql: selectRange({ columns, range, reverse, values, which, isWhole }),
      params: [...rangeParams(kind, range), ...params],
    });
    const { rows, last } = boundedRows(this.#database, {
      small: select(range, "small"),
      wholeUpTo: (last) =>
        select(
          last ? rangeUpTo(range, nameOf(last.key), reverse) : range,
          "all",
        ),
      limit,
      bytes,
    });
    return { rows, rest: last && restPast(range, nameOf(last.key), reverse) };
  }

  /**
   * Reads a page. If a row of it cannot be read, and the caller wants reports,
   * it reads the entries with complete keys, and reports the others.
   */
  #pastUnreadable<T>(
    kind: string,
    range: KeyRange,
    { reverse = false, onUnreadable }: PageOptions,
    read: (isWhole: boolean) => Page<T>,
  ): Page<T> {
    try {
      return read(false);
    } catch (error) {
      if (!onUnreadable || !(error instanceof StoreCorruptError)) throw error;
      const page = read(true);
      const passed = page.rest ? rangeBefore(range, page.rest, reverse) : range;
      const params = [...rangeParams(kind, passed), MOST_UNNAMED];
      for (const row of this.#database.all(selectUnnamed(passed), ...params)) {
        onUnreadable(unnamed(kind, row));
      }
      return page;
    }
  }

  count(kind: string, range: KeyRange, limit?: number): number {
    return this.#count(kind, range, this.#selection(), limit);
  }

  /** Whether a range is empty. Expired entries count, too. */
  isEmpty(kind: string, range: KeyRange): boolean {
    return this.#count(kind, range, { which: "all", params: [] }, 1) === 0;
  }

  #count(
    kind: string,
    range: KeyRange,
    { which, params }: Selection,
    limit = Infinity,
  ): number {
    const row = this.#database.get(
      countRange(range, which),
      ...rangeParams(kind, range),
      ...params,
      limit === Infinity ? -1 : limit,
    );
    return row!.count as number;
  }

  /** The number of entries of each kind, in order. */
  countKinds(): { kind: string; count: number }[] {
    const { which, params } = this.#selection();
    const sql = which === "all" ? COUNT_KINDS : COUNT_KINDS_THERE;
    return this.#database.all(sql, ...params).map(({ kind, count }) => ({
      kind: nameOf(kind),
      count: count as number,
    }));
  }

  listKinds(): string[] {
    const { which, params } = this.#selection();
    const sql = which === "all" ? LIST_KINDS : LIST_KINDS_THERE;
    return this.#database.all(sql, ...params).map((row) => nameOf(row.kind));
  }

  nextExpiry(): number | undefined {
    const at = this.#database.get(NEXT_EXPIRY)?.expires_at;
    // Text sorts last. Only plain SQL may have written it, and it never
    // expires.
    return typeof at === "number" ? at : undefined;
  }

  /**
   * How to read entries that have not expired. If none has expired, an index
   * without the expiry is enough.
   */
  #selection(): Selection {
    const time = this.#clock.now();
    const which = this.#database.get(HAS_EXPIRED, time) ? "there" : "all";
    return { which, params: whichParams(which, time) };
  }
}

/** The item of a row, unless it cannot be read, which is reported. */
function itemOf<T>(
  row: Row,
  toItem: (row: Row) => T,
  onUnreadable: (problem: StoreError) => void,
): T[] {
  try {
    return [toItem(row)];
  } catch (error) {
    if (!(error instanceof StoreCorruptError)) throw error;
    onUnreadable(error);
    return [];
  }
}

function unnamed(kind: string, { revision }: Row): StoreCorruptError {
  return new StoreCorruptError(
    `Cannot read an entry of kind ${
      quoteText(kind)
    }: its key holds a NUL, as plain SQL can make it; its revision is ${revision}, mend it by SQL`,
  );
}
