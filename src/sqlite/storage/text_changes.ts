/**
 * Reads a page of changes as one row, as `TextPages` reads entries. It works only
 * if all values are small UTF-8 text. The caller reads all other pages row by row.
 *
 * @module
 */
import type { ChangeFilter } from "../../engine/change_log.ts";
import { TextChange } from "../../engine/entries.ts";
import { PAGE_BYTES, PAGE_ENTRIES } from "../../engine/page.ts";
import type { Database } from "../connection/database.ts";
import { type Row, SqlError, type SqlValue } from "../driver/driver.ts";
import { keyParams } from "./queries.ts";
import {
  expiriesOf,
  integersOf,
  stringsOf,
  textsOf,
  TextSupport,
} from "./text_columns.ts";
import {
  LOGGED_TYPES,
  MOST_TEXT_BYTES,
  selectTextChanges,
} from "./text_queries.ts";

/** The fewest revisions for which one row is faster than several. */
const FEWEST = 8;

/** How many pages of a filter are read row by row after a page that was not text. */
const PAGES_BY_ROWS = 16;

/** The remembered state of a filter. */
interface Known {
  readonly sql: string;
  /** How many more pages are read row by row. */
  byRows: number;
}

/** A page of changes. */
export interface TextChanges {
  readonly changes: TextChange[];
  /** Whether more changes may follow. */
  readonly isFull: boolean;
}

/** Reads pages of changes as text through one connection. */
export class TextChangePages {
  readonly #database: Database;
  readonly #support: TextSupport;
  readonly #known = new WeakMap<ChangeFilter, Known>();

  /** Takes the connection. */
  constructor(database: Database) {
    this.#database = database;
    this.#support = new TextSupport(database);
  }

  /** The changes past a revision, up to another; `undefined` if the caller must read them row by row. */
  read(
    filter: ChangeFilter,
    after: number,
    until: number,
    limit: number,
  ): TextChanges | undefined {
    const { asText, previous, times, kinds, keys } = filter;
    if (!asText || previous || times || until - after < FEWEST) {
      return undefined;
    }
    const known = this.#knownOf(filter);
    if (known.byRows > 0) {
      known.byRows--;
      return undefined;
    }
    // The page fits its limit even if each value has the largest size.
    const most = Math.min(limit, PAGE_ENTRIES, PAGE_BYTES / MOST_TEXT_BYTES);
    const params = [after, until, ...kinds ?? [], ...keyParams(keys), most];
    const row = this.#readRow(known.sql, params);
    const changes = row && changesOf(row, kinds);
    if (!changes) {
      known.byRows = PAGES_BY_ROWS;
      return undefined;
    }
    return { changes, isFull: changes.length === most };
  }

  #knownOf(filter: ChangeFilter): Known {
    let known = this.#known.get(filter);
    if (!known) {
      const { kinds, keys } = filter;
      const sql = selectTextChanges({ kinds: kinds?.length, range: keys });
      this.#known.set(filter, known = { sql, byRows: 0 });
    }
    return known;
  }

  /** The row of a page; `undefined` if SQLite fails. Then the read row by row gets the error. */
  #readRow(sql: string, params: SqlValue[]): Row | undefined {
    try {
      return this.#support.areBytesKept()
        ? this.#database.get(sql, ...params)
        : undefined;
    } catch (error) {
      if (error instanceof SqlError) return undefined;
      throw error;
    }
  }
}

/** The changes of a page; `undefined` if a value is not text, or if a store did not log one of them. */
function changesOf(
  row: Row,
  kinds: ChangeFilter["kinds"],
): TextChange[] | undefined {
  const keys = stringsOf(row.key);
  const texts = keys && textsOf(row.texts, keys.length);
  const revisions = integersOf(row.revision);
  const ofKinds = kinds?.length === 1 ? kinds : stringsOf(row.kind);
  const types = integersOf(row.type);
  const versions = integersOf(row.version);
  const marks = integersOf(row.mark);
  const expiries = expiriesOf(row.expires_at);
  if (!texts || !revisions || !ofKinds || !types) return undefined;
  if (!versions || !marks || !expiries) return undefined;
  // SQLite does not guarantee the order of an aggregate.
  if (!revisions.every((n, i) => i === 0 || revisions[i - 1] < n)) {
    return undefined;
  }
  const [kind] = ofKinds;
  const isOneKind = kinds?.length === 1;
  return keys.map((key, i) => {
    const type = LOGGED_TYPES[types[i]];
    return new TextChange(key, texts[i], {
      revision: revisions[i],
      mark: marks[i],
      kind: isOneKind ? kind : ofKinds[i],
      type: type === "expire" ? "delete" : type,
      isExpiry: type === "expire",
      version: versions[i],
      expiresAt: expiries[i],
    });
  });
}
