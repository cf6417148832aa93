/// <reference lib="dom" />
/**
 * The entries in the table, which follow the live changes. It keeps one page,
 * for any number of entries.
 *
 * @module
 */
import type {
  ApiError,
  EntriesPage,
  EntryRow,
  LiveChange,
  RangeQuery,
} from "../../api.ts";
import { Cell } from "./cell.ts";
import { errorOf, read } from "./client.ts";
import { isInRange, placeOf } from "./keys_order.ts";
import { epoch, hold, onChanges } from "./live.ts";

/** The number of entries in a page. */
export const PAGE_SIZE = 100;

/** How long the mark of a change and the row of a deleted entry stay, in ms. */
const STAY = 3_000;

/** Which page. */
export interface PageQuery extends RangeQuery {
  readonly past?: string;
  readonly reverse?: boolean;
}

/** A row of the table. */
export interface Row extends EntryRow {
  /** The type of a recent live change. */
  readonly mark?: LiveChange["type"];
  /** The time of that change, by `performance.now()`. */
  readonly markedAt?: number;
}

/** The table. */
export interface Table {
  readonly query: PageQuery;
  readonly rows: readonly Row[];
  /** Whether there are entries before the first row. */
  readonly hasBefore: boolean;
  /** Whether there are entries after the last row. */
  readonly hasAfter: boolean;
  readonly isLoading: boolean;
  readonly error?: ApiError;
  /** Every change up to this revision is in the rows. */
  readonly revision: number;
}

/** A page that follows the store. */
export class Entries {
  readonly table: Cell<Table>;
  readonly #stops: (() => void)[];
  #reading?: AbortController;
  #sweeping?: ReturnType<typeof setTimeout>;

  constructor(query: PageQuery) {
    this.table = new Cell<Table>({
      query,
      rows: [],
      hasBefore: false,
      hasAfter: false,
      isLoading: true,
      revision: Infinity,
    });
    this.#stops = [
      epoch.subscribe(() => this.load()),
      onChanges((changes) => this.#follow(changes)),
    ];
    this.load();
  }

  /** Shows another page. The old rows stay until the new ones are there. */
  show(query: PageQuery): void {
    const table = this.table.value;
    const isOther = table.query.kind !== query.kind;
    this.table.value = {
      ...table,
      query,
      rows: isOther ? [] : table.rows,
      isLoading: true,
      error: undefined,
    };
    this.load();
  }

  /** Reads the page again. */
  async load(): Promise<void> {
    this.#reading?.abort();
    const { signal } = this.#reading = new AbortController();
    const { query } = this.table.value;
    const held = hold(query.kind);
    try {
      const { reverse, ...rest } = query;
      const page = await read<EntriesPage>("api/entries", {
        ...rest,
        reverse,
        limit: PAGE_SIZE,
      }, signal);
      this.table.value = tableOf(query, page);
      this.#follow(held.changes);
    } catch (error) {
      if (signal.aborted) return;
      this.table.value = {
        ...this.table.value,
        isLoading: false,
        error: errorOf(error),
      };
    } finally {
      held.release();
    }
  }

  /** Stops following the store. */
  close(): void {
    this.#reading?.abort();
    clearTimeout(this.#sweeping);
    for (const stop of this.#stops) stop();
  }

  #follow(changes: readonly LiveChange[]): void {
    const table = this.table.value;
    if (table.query.at !== undefined) return;
    const next = withChanges(table, changes);
    if (next === table) return;
    this.table.value = next;
    this.#sweepLater(STAY);
  }

  #sweepLater(pause: number): void {
    this.#sweeping ??= setTimeout(() => {
      this.#sweeping = undefined;
      this.#sweep();
    }, pause);
  }

  /** Removes old marks and deleted rows, and fills the page if it became short. */
  #sweep(): void {
    const table = this.table.value;
    const isOver = ({ markedAt = Infinity }: Row) =>
      markedAt + STAY <= performance.now();
    const rows = table.rows.filter((row) => !isGone(row) || !isOver(row))
      .map((row) =>
        isOver(row) ? { ...row, mark: undefined, markedAt: undefined } : row
      );
    this.table.value = { ...table, rows };
    if (rows.some(({ mark }) => mark !== undefined)) this.#sweepLater(STAY / 4);
    const hasMore = table.query.reverse ? table.hasBefore : table.hasAfter;
    if (rows.length < PAGE_SIZE / 2 && hasMore) this.load();
  }
}

function isGone(row: Row): boolean {
  return row.mark === "delete";
}

function tableOf(query: PageQuery, page: EntriesPage): Table {
  const { reverse = false, past } = query;
  const isInside = past !== undefined;
  return {
    query,
    rows: reverse ? page.entries.toReversed() : page.entries,
    hasBefore: reverse ? page.hasMore : isInside,
    hasAfter: reverse ? isInside : page.hasMore,
    isLoading: false,
    revision: page.revision,
  };
}

/** The table after some changes. It is the same object if no change concerns it. */
export function withChanges(
  table: Table,
  changes: readonly LiveChange[],
): Table {
  const rows = [...table.rows];
  let { hasBefore, hasAfter } = table;
  let isOther = false;
  for (const change of changes) {
    if (!concerns(table, change)) continue;
    const { index, isThere } = placeOf(rows, change.key);
    if (isThere) {
      if (rows[index].revision >= change.revision) continue;
      rows[index] = rowOf(change, rows[index]);
    } else {
      if (change.type === "delete") continue;
      // The key may belong to the previous page, or to the next one.
      if (index === 0 && hasBefore && table.query.reverse) continue;
      if (index === rows.length && hasAfter && !table.query.reverse) continue;
      rows.splice(index, 0, rowOf(change));
      if (rows.length > PAGE_SIZE) {
        if (table.query.reverse) hasBefore = rows.shift() !== undefined;
        else hasAfter = rows.pop() !== undefined;
      }
    }
    isOther = true;
  }
  return isOther ? { ...table, rows, hasBefore, hasAfter } : table;
}

function concerns({ query, revision }: Table, change: LiveChange): boolean {
  if (change.kind !== query.kind || change.revision <= revision) return false;
  if (!isInRange(change.key, query)) return false;
  const { past, reverse } = query;
  if (past === undefined) return true;
  return isInRange(
    change.key,
    reverse ? { end: past } : { start: `${past}\0` },
  );
}

function rowOf(change: LiveChange, before?: Row): Row {
  const { key, version, revision, size, expiresAt, type } = change;
  const isCreated = before === undefined || isGone(before);
  return {
    key,
    preview: change.preview,
    size,
    version,
    revision,
    updatedAt: change.seenAt,
    expiresAt,
    mark: type === "delete" ? type : isCreated ? "create" : "update",
    markedAt: performance.now(),
  };
}
