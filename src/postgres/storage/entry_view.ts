/**
 * Reads entries: at the moment of each statement, at a snapshot, or at a past
 * revision.
 *
 * A past revision is read by undo: the rows that have not changed since, and
 * for the other rows the values that their first change since has replaced.
 * These changes have a `previous_revision` that is not later than the revision.
 * It holds no transaction open.
 *
 * @module
 */
import type {
  EntryState,
  StoredEntry,
  StoredValue,
} from "../../engine/entries.ts";
import { prunedPast, putBack } from "../../engine/log_ends.ts";
import {
  type Page,
  PAGE_BYTES,
  PAGE_ENTRIES,
  type PageOptions,
} from "../../engine/page.ts";
import type { PastView, View } from "../../engine/view.ts";
import { type KeyRange, rangePast } from "../../keys/key_range.ts";
import type { Query, Row } from "../connection/link.ts";
import {
  inRange,
  markOf,
  ms,
  Parameters,
  prunedOf,
  type Tables,
  timeOf,
} from "./selection.ts";

/** Sends a query to a server. */
export type Ask = (query: Query, signal?: AbortSignal) => Promise<Row[]>;

/** A moment. Without a revision it is that of a transaction. */
export interface Moment {
  /** In ms since 1970: entries that had expired then are left out. */
  readonly time: number;
  readonly revision?: number;
  /** The mark of the revision. If the log has another one, the server was put back. */
  readonly mark?: number;
}

const STATE = "version, revision";
const ENTRY = `key, value, ${STATE}, ${ms("updated_at")} AS time, ${
  ms("expires_at")
} AS expiry`;

/** The entries. */
export class EntryView implements View {
  readonly #tables: Tables;
  readonly #ask: Ask;
  readonly #moment: Moment | undefined;

  /** Takes the tables, the function for queries, and the moment if it is fixed. */
  constructor(tables: Tables, ask: Ask, moment?: Moment) {
    this.#tables = tables;
    this.#ask = ask;
    this.#moment = moment;
  }

  async value(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    return (await this.#one("value", kind, key, signal))?.value;
  }

  async entry(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<StoredEntry | undefined> {
    const row = await this.#one(ENTRY, kind, key, signal);
    return row && entryOf(row);
  }

  async state(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<EntryState | undefined> {
    const row = await this.#one(STATE, kind, key, signal);
    return row && { version: row.version, revision: row.revision };
  }

  async #one(
    columns: string,
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<Row | undefined> {
    const parameters = new Parameters();
    const name = `kind = ${parameters.add(kind)} AND key = ${
      parameters.add(key)
    }`;
    const [row] = await this.#read(
      parameters,
      (from) => `SELECT ${columns} FROM ${from(name)}`,
      signal,
    );
    return row;
  }

  async some(
    kind: string,
    keys: readonly string[],
    signal?: AbortSignal,
  ): Promise<StoredValue[]> {
    const parameters = new Parameters();
    const names = `kind = ${parameters.add(kind)} AND key = ANY(${
      parameters.add(keys)
    }::text[])`;
    const rows = await this.#read(
      parameters,
      (from) => `SELECT key, value FROM ${from(names)}`,
      signal,
    );
    return rows.map(valueOf);
  }

  keys(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<string>> {
    return this.#page("key", kind, range, page, ({ key }) => key, signal);
  }

  values(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<StoredValue>> {
    return this.#page("key, value", kind, range, page, valueOf, signal);
  }

  entries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<StoredEntry>> {
    return this.#page(ENTRY, kind, range, page, entryOf, signal);
  }

  async #page<T>(
    columns: string,
    kind: string,
    range: KeyRange,
    options: PageOptions = {},
    itemOf: (row: Row) => T,
    signal?: AbortSignal,
  ): Promise<Page<T>> {
    const { limit = PAGE_ENTRIES, bytes = PAGE_BYTES, reverse = false } =
      options;
    const parameters = new Parameters();
    const where = `kind = ${parameters.add(kind)} AND ${
      inRange(range, parameters)
    }`;
    const order = `ORDER BY key ${reverse ? "DESC" : "ASC"}`;
    const most = parameters.add(limit);
    const hasValues = columns !== "key";
    // One more row shows whether there is a rest. Values that do not fit are
    // not sent.
    const within = hasValues
      ? `place <= ${most}::int AND (place = 1 OR size <= ${
        parameters.add(bytes)
      }::bigint)`
      : `place <= ${most}::int`;
    const rows = await this.#read(
      parameters,
      (from) =>
        `SELECT ${columns}, count FROM (
          SELECT *, row_number() OVER (${order}) AS place, count(*) OVER () AS count
            ${
          hasValues ? `, sum(octet_length(value)) OVER (${order}) AS size` : ""
        }
          FROM (SELECT * FROM ${
          from(where)
        } ${order} LIMIT ${most}::int + 1) AS page
        ) AS placed WHERE ${within} ${order}`,
      signal,
      order,
    );
    const items = rows.map(itemOf);
    if (rows.length === 0 || rows.length === rows[0].count) return { items };
    const last = rows.at(-1)!.key;
    return { items, rest: rangePast(range, last, reverse) };
  }

  async count(
    kind: string,
    range: KeyRange,
    limit = Infinity,
    signal?: AbortSignal,
  ): Promise<number> {
    const parameters = new Parameters();
    const where = `kind = ${parameters.add(kind)} AND ${
      inRange(range, parameters)
    }`;
    const most = limit === Infinity ? "" : `LIMIT ${parameters.add(limit)}`;
    const [row] = await this.#read(
      parameters,
      (from) =>
        `SELECT count(*) AS count FROM (SELECT FROM ${
          from(where)
        } ${most}) AS counted`,
      signal,
    );
    return row.count;
  }

  async kinds(signal?: AbortSignal): Promise<string[]> {
    const { kv, changes } = this.#tables;
    const { revision } = this.#moment ?? {};
    const parameters = new Parameters();
    const since = revision === undefined
      ? ""
      : `UNION SELECT DISTINCT kind FROM ${changes} WHERE revision > ${
        parameters.add(revision)
      }`;
    // It jumps from each kind to the next with the index, past all entries of
    // the kind.
    const rows = await this.#read(
      parameters,
      (from) =>
        `WITH RECURSIVE steps AS (
          (SELECT kind FROM ${kv} ORDER BY kind LIMIT 1)
          UNION ALL
          SELECT (SELECT kind FROM ${kv} WHERE kind > steps.kind ORDER BY kind LIMIT 1)
          FROM steps WHERE steps.kind IS NOT NULL
        ), found AS (SELECT kind FROM steps WHERE kind IS NOT NULL ${since})
        SELECT kind FROM found WHERE EXISTS (
          SELECT FROM ${from("kind = found.kind")}) ORDER BY kind`,
      signal,
      "ORDER BY kind",
    );
    return rows.map(({ kind }) => kind);
  }

  /**
   * Reads. `select` makes the statement, from the rows at the moment that meet
   * a condition.
   */
  async #read(
    parameters: Parameters,
    select: (from: (where: string) => string) => string,
    signal?: AbortSignal,
    order = "",
  ): Promise<Row[]> {
    const moment = this.#moment;
    if (moment?.revision === undefined) {
      const now = moment ? timeOf(parameters.add(moment.time)) : "now()";
      const from = (where: string) =>
        `(SELECT * FROM ${this.#tables.kv} WHERE ${where} AND ${
          live(now)
        }) AS entries`;
      const query = { text: select(from), values: parameters.values };
      return await this.#ask(query, signal);
    }
    const { revision } = moment;
    const at = `${parameters.add(revision)}::bigint`;
    const now = timeOf(parameters.add(moment.time));
    const text = select((where) => this.#past(where, at, now));
    // In the same statement: the changes that are in the log now were there
    // then.
    const rows = await this.#ask({
      text: `SELECT found.*, read.* FROM (SELECT ${
        prunedOf(this.#tables)
      } AS pruned, ${
        markOf(this.#tables, at)
      } AS found_mark) AS found LEFT JOIN (SELECT true AS there, * FROM (${text}) AS result) AS read ON true ${order}`,
      values: parameters.values,
    }, signal);
    const { pruned, found_mark } = rows[0];
    if (revision < pruned) throw prunedPast(revision, pruned + 1);
    if (found_mark === null) throw putBack("ahead", revision);
    if (moment.mark !== undefined && found_mark !== moment.mark) {
      throw putBack("history", revision);
    }
    return rows.filter(({ there }) => there);
  }

  #past(where: string, at: string, now: string): string {
    const { kv, changes } = this.#tables;
    return `(
      SELECT kind, key, value, version, revision, updated_at, expires_at FROM ${kv}
        WHERE ${where} AND revision <= ${at} AND ${live(now)}
      UNION ALL
      SELECT kind, key, previous, version - CASE type WHEN 'update' THEN 1 ELSE 0 END,
          previous_revision, previous_time, previous_expires_at FROM ${changes}
        WHERE ${where} AND revision > ${at} AND previous_revision <= ${at}
        AND ${live(now, "previous_expires_at")}
    ) AS entries`;
  }
}

/** The entries as they were at a revision. */
export class PastEntryView extends EntryView implements PastView {
  readonly revision: number;

  /** Takes the tables, the function for queries, and the moment. */
  constructor(
    tables: Tables,
    ask: Ask,
    moment: Moment & { readonly revision: number },
  ) {
    super(tables, ask, moment);
    this.revision = moment.revision;
  }

  close(): void {}
}

function live(now: string, column = "expires_at"): string {
  return `(${column} IS NULL OR ${column} > ${now})`;
}

function valueOf({ key, value }: Row): StoredValue {
  return { key, value };
}

function entryOf(
  { key, value, version, revision, time, expiry }: Row,
): StoredEntry {
  return {
    key,
    value,
    version,
    revision,
    updatedAt: new Date(time),
    expiresAt: expiry ?? undefined,
  };
}
