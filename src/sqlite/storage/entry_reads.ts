/**
 * Reads entries, in key order.
 *
 * @module
 */
import { type KeyRange, rangeUpTo } from "../../keys/key_range.ts";
import {
  type Page,
  PAGE_BYTES,
  PAGE_ENTRIES,
  type PageOptions,
} from "../../engine/page.ts";
import type { StoredEntry, StoredValue } from "../../engine/entries.ts";
import type { Database } from "../connection/database.ts";
import type { Row } from "../driver/driver.ts";
import { boundedRows, type Select } from "./bounded_rows.ts";
import {
  type Columns,
  COUNT_KINDS,
  countRange,
  GET_ENTRY,
  GET_VALUE,
  GET_VERSION,
  LIST_KINDS,
  rangeParams,
  selectRange,
  type WholeValues,
} from "./queries.ts";
import {
  nameOf,
  restPast,
  toEntry,
  toValue,
  valueOf,
  versionOf,
} from "./rows.ts";

/** Reads the entries of one connection. The methods are those of `Entries`. */
export class EntryReads {
  readonly #database: Database;

  /** Takes the connection. */
  constructor(database: Database) {
    this.#database = database;
  }

  getValue(kind: string, key: string): Uint8Array | undefined {
    const row = this.#database.get(GET_VALUE, kind, key);
    return row && valueOf(row);
  }

  getEntry(kind: string, key: string): StoredEntry | undefined {
    const row = this.#database.get(GET_ENTRY, kind, key);
    return row && toEntry(row);
  }

  getVersion(kind: string, key: string): number {
    const row = this.#database.get(GET_VERSION, kind, key);
    return row ? versionOf(row) : 0;
  }

  readKeys(
    kind: string,
    range: KeyRange,
    { limit = PAGE_ENTRIES, reverse = false }: PageOptions = {},
  ): Page<string> {
    const rows = this.#database.all(
      selectRange("key", range, reverse, "all"),
      ...rangeParams(kind, range),
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
    return this.#readPage("value", toValue, kind, range, page);
  }

  readEntries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
  ): Page<StoredEntry> {
    return this.#readPage("entry", toEntry, kind, range, page);
  }

  #readPage<T extends StoredValue>(
    columns: Columns,
    toItem: (row: Row) => T,
    kind: string,
    range: KeyRange,
    { limit, bytes = PAGE_BYTES, reverse = false }: PageOptions = {},
  ): Page<T> {
    const select = (range: KeyRange, values: WholeValues): Select => ({
      sql: selectRange(columns, range, reverse, values),
      params: rangeParams(kind, range),
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
    const items = rows.map(toItem);
    return { items, rest: last && restPast(range, nameOf(last.key), reverse) };
  }

  count(kind: string, range: KeyRange, limit = Infinity): number {
    const row = this.#database.get(
      countRange(range),
      ...rangeParams(kind, range),
      limit === Infinity ? -1 : limit,
    );
    return row!.count as number;
  }

  /** How many entries each kind has, in order. */
  countKinds(): { kind: string; count: number }[] {
    return this.#database.all(COUNT_KINDS).map(({ kind, count }) => ({
      kind: nameOf(kind),
      count: count as number,
    }));
  }

  listKinds(): string[] {
    return this.#database.all(LIST_KINDS).map((row) => nameOf(row.kind));
  }
}
