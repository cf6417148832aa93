/**
 * The change log of a server, for watches.
 *
 * @module
 */
import { unlessAborted } from "../../base/promises.ts";
import { sleep } from "../../base/slice.ts";
import { StoreUnavailableError } from "../../contract/errors.ts";
import type {
  ChangeFilter,
  ChangeLog,
  Following,
  Wait,
} from "../../engine/change_log.ts";
import type { ChangePage, StoredChange } from "../../engine/entries.ts";
import { prunedPast, putBack } from "../../engine/log_ends.ts";
import { PAGE_BYTES, PAGE_ENTRIES } from "../../engine/page.ts";
import { Backoff } from "../../remote/backoff.ts";
import { type News, NewsWaits } from "../../remote/news.ts";
import type { Links } from "../connection/links.ts";
import type { Query, Row } from "../connection/link.ts";
import type { Listener } from "../connection/listener.ts";
import {
  headOf,
  inRange,
  markOf,
  ms,
  Parameters,
  prunedOf,
  type Tables,
} from "./selection.ts";

/** How many revisions one read visits at most. */
const READ_WINDOW = 10_000;

/** How often a waiting watch looks, in ms: with notifications, and without. */
const SWEEP_MS = 2_000;
const POLL_MS = 100;

/** The log of a schema. */
export class PostgresLog implements ChangeLog {
  readonly bookmarkInterval: number;
  readonly canBePutBack = true;
  readonly #tables: Tables;
  readonly #links: Links;
  readonly #listener: Listener;
  readonly #waits: NewsWaits;
  /** Pages that are being read. Watches that wait together share them. */
  readonly #reading = new Map<string, Promise<Row[]>>();

  /** Takes the tables, the connections, the number of changes to keep, and the listener. */
  constructor(
    tables: Tables,
    links: Links,
    history: number,
    openListener: (onHint: (kind?: string) => void) => Listener,
  ) {
    this.#tables = tables;
    this.#links = links;
    this.bookmarkInterval = Math.max(1, Math.floor(history / 4));
    const listener = this.#listener = openListener((kind) =>
      this.hint(kind === undefined ? [] : [kind])
    );
    this.#waits = new NewsWaits({
      look: (revisions) => this.#look(revisions),
      interval: () => listener.isHeard ? SWEEP_MS : POLL_MS,
      bookmarkInterval: this.bookmarkInterval,
      onWaiting: (isWaiting) => listener.want(isWaiting),
    });
  }

  /** Whether notifications arrive. */
  get isHeard(): boolean {
    return this.#listener.isHeard;
  }

  /** There may be changes; of these kinds, if they are given. */
  hint(kinds?: Iterable<string>): void {
    this.#waits.hint(kinds);
  }

  async #number(sql: string, values: unknown[] = []): Promise<number> {
    const [row] = await this.#links.read({
      text: `SELECT ${sql} AS number`,
      values,
    });
    return row.number;
  }

  head(): Promise<number> {
    return this.#number(headOf(this.#tables));
  }

  newest(): Promise<number> {
    return this.head();
  }

  oldest(): Promise<number> {
    return this.#number(`${prunedOf(this.#tables)} + 1`);
  }

  async markOf(revision: number): Promise<number | undefined> {
    const mark = await this.#number(markOf(this.#tables, "$1::bigint"), [
      revision,
    ]);
    return mark ?? undefined;
  }

  async #look(
    revisions: readonly [after: number, ...number[]],
  ): Promise<News> {
    const { changes } = this.#tables;
    const [{ head, mark, found, kinds }] = await this.#links.read({
      text: `SELECT head, ${markOf(this.#tables, "head")} AS mark,
        (SELECT json_agg(json_build_array(asked, ${
        markOf(this.#tables, "asked")
      })) FROM unnest($2::bigint[]) AS asked) AS found,
        CASE WHEN head - $1::bigint BETWEEN 1 AND ${READ_WINDOW} THEN
          (SELECT json_agg(DISTINCT kind) FROM ${changes}
            WHERE revision > $1::bigint AND revision <= head) END AS kinds
        FROM (SELECT ${headOf(this.#tables)} AS head) AS newest`,
      values: [revisions[0], revisions],
    }, { patience: 0 });
    const marks: [number, number | null][] = JSON.parse(found);
    return {
      head,
      mark: mark ?? undefined,
      marks: new Map(
        marks.filter((it): it is [number, number] => it[1] !== null),
      ),
      kinds: kinds === null ? undefined : new Set(JSON.parse(kinds)),
    };
  }

  async read(
    filter: ChangeFilter,
    after: number,
    limit: number,
    mark?: number,
    following?: Following,
  ): Promise<ChangePage> {
    const query = this.#pageQuery(filter, after, limit);
    const rows = following
      ? await this.#follow(query, following)
      : await this.#links.read(query);
    const most = Math.min(limit, PAGE_ENTRIES);
    const { head, pruned, found, until, until_mark, counted } = rows[0];
    if (after < pruned) throw prunedPast(after, pruned + 1);
    if (after > head) throw putBack("ahead", after);
    if (mark !== undefined && mark !== found) throw putBack("history", after);
    const changes = rows[0].revision === null
      ? []
      : rows.map((row) => changeOf(row, filter));
    const last = changes.at(-1);
    const isWhole = changes.length === (counted ?? 0) && changes.length < most;
    return isWhole || !last
      ? { changes, cursor: until, mark: until_mark ?? undefined }
      : { changes, cursor: last.revision, mark: last.mark };
  }

  /** Reads until the server can be reached, because a watch survives a restart of the server. */
  async #follow(
    query: Query,
    { persistent, signal }: Following,
  ): Promise<Row[]> {
    const stop = AbortSignal.any([signal, this.#links.closed]);
    let backoff: Backoff | undefined;
    for (;;) {
      try {
        return await unlessAborted(this.#share(query), signal);
      } catch (error) {
        const isAway = error instanceof StoreUnavailableError;
        if (!isAway || stop.aborted) throw error;
      }
      backoff ??= new Backoff();
      await sleep(backoff.next(), stop, persistent);
    }
  }

  /** Reads once. */
  #share(query: Query): Promise<Row[]> {
    const key = JSON.stringify([query.text, query.values]);
    let reading = this.#reading.get(key);
    if (!reading) {
      reading = this.#links.read(query, { patience: 0 })
        .finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    return reading;
  }

  #pageQuery(
    filter: ChangeFilter,
    after: number,
    limit: number,
  ): Query {
    const parameters = new Parameters();
    const from = `${parameters.add(after)}::bigint`;
    const page = this.#page(
      filter,
      parameters,
      `revision > ${from} AND revision <= ends.until`,
      "ASC",
      limit,
    );
    return {
      text: `SELECT ends.*, page.*, ${
        markOf(this.#tables, "ends.until")
      } AS until_mark
        FROM (SELECT head, pruned, found,
            greatest(${from}, least(head, ${from} + ${READ_WINDOW})) AS until
          FROM (SELECT ${headOf(this.#tables)} AS head,
            ${prunedOf(this.#tables)} AS pruned,
            ${markOf(this.#tables, from)} AS found) AS log) AS ends
        LEFT JOIN LATERAL ${page} AS page ON true
        ORDER BY revision`,
      values: parameters.values,
    };
  }

  /** The changes of a page, and their number. Values beyond the limit of bytes are not sent. */
  #page(
    { kinds, keys, previous }: ChangeFilter,
    parameters: Parameters,
    where: string,
    direction: "ASC" | "DESC",
    limit: number,
  ): string {
    const { changes } = this.#tables;
    const ofKinds = kinds
      ? `AND kind = ANY(${parameters.add(kinds)}::text[])`
      : "";
    const before = previous
      ? "previous"
      : "CASE WHEN type <> 'update' THEN previous END AS previous";
    const size =
      `coalesce(octet_length(value), 0) + coalesce(octet_length(previous), 0)`;
    const order = `ORDER BY revision ${direction}`;
    return `(
      SELECT revision, mark, kind, key, type, version, value, previous, expiry, time, counted
      FROM (
        SELECT *, sum(${size}) OVER (${order}) AS size,
          row_number() OVER (${order}) AS place, count(*) OVER () AS counted
        FROM (
          SELECT revision, mark, kind, key, type, version, value, ${before},
            ${ms("expires_at")} AS expiry, ${ms("time")} AS time
          FROM ${changes}
          WHERE ${where} ${ofKinds} AND ${inRange(keys, parameters)}
          ${order} LIMIT ${parameters.add(Math.min(limit, PAGE_ENTRIES))}::int
        ) AS read
      ) AS placed WHERE place = 1 OR size <= ${PAGE_BYTES}
    )`;
  }

  async readBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
    mark?: number,
  ): Promise<ChangePage> {
    const from = Math.max(after, before - 1 - READ_WINDOW);
    const parameters = new Parameters();
    const lower = parameters.add(from);
    const upper = parameters.add(before);
    const page = this.#page(
      filter,
      parameters,
      `revision > ${lower}::bigint AND revision < ${upper}::bigint`,
      "DESC",
      limit,
    );
    const rows = await this.#links.read({
      text: `SELECT ends.*, page.* FROM (SELECT ${
        prunedOf(this.#tables)
      } AS pruned, ${markOf(this.#tables, `${upper}::bigint`)} AS found, ${
        markOf(this.#tables, `${lower}::bigint + 1`)
      } AS end_mark) AS ends LEFT JOIN ${page} AS page ON true
        ORDER BY revision DESC`,
      values: parameters.values,
    });
    const { pruned, found, end_mark, counted } = rows[0];
    if (from < pruned) throw prunedPast(from, pruned + 1);
    if (mark !== undefined && mark !== found) throw putBack("history", before);
    const changes = rows[0].revision === null
      ? []
      : rows.map((row) => changeOf(row, filter));
    const last = changes.at(-1);
    const isWhole = changes.length === (counted ?? 0) &&
      changes.length < PAGE_ENTRIES && changes.length < limit;
    return isWhole || !last
      ? { changes, cursor: from + 1, mark: end_mark ?? undefined }
      : { changes, cursor: last.revision, mark: last.mark };
  }

  wait(wait: Wait): Promise<number> {
    return this.#waits.wait(wait);
  }

  /** Ends every wait. */
  async close(): Promise<void> {
    this.#waits.close();
    await this.#listener.close();
  }
}

function changeOf(row: Row, { previous: isAsked }: ChangeFilter): StoredChange {
  const { revision, mark, kind, key, type, version, previous } = row;
  const isExpiry = type === "expire";
  const isRemoval = isExpiry || type === "delete";
  return {
    revision,
    mark,
    kind,
    key,
    version,
    type: isRemoval ? "delete" : type,
    isExpiry,
    value: isRemoval ? previous : row.value,
    ...(isAsked && type === "update" ? { previous } : {}),
    expiresAt: row.expiry ?? undefined,
    time: new Date(row.time),
  };
}
