/**
 * Reads a kind as it was at a past revision, by undo: the entries that are
 * there now, with every key that changed since put back to what its first
 * change replaced. It holds no read transaction, which would pin the WAL, and
 * no more in memory than a page and the keys that changed since.
 *
 * @module
 */
import { compareKeys, lowerBound } from "../key_order.ts";
import { type KeyRange, rangePast } from "../key_range.ts";
import { Slice } from "../slice.ts";
import type { ChangeFilter, Replay, ReplayEntry } from "../watch/change_log.ts";
import type { Database } from "./database.ts";
import {
  GET_PREVIOUS,
  rangeParams,
  selectChangedKeys,
  selectRange,
} from "./queries.ts";
import { assertLogReaches, headRevision } from "./revisions.ts";
import type { WriteQueue } from "./write_queue.ts";

/** How many revisions one step looks through for changed keys. */
const SCAN_WINDOW = 10_000;

/** A key that changed since the snapshot, and the revision of its first change. */
interface ChangedKey {
  readonly key: string;
  readonly revision: number;
}

/** A replay of the entries in a file. */
export class SqliteReplay implements Replay {
  readonly #database: Database;
  readonly #queue: WriteQueue;
  readonly #kind: string;
  readonly #snapshot: number;
  /** The keys still to come. */
  #rest: KeyRange;
  /** The changed keys among them, in key order. */
  #changed: ChangedKey[] = [];
  /** The revision up to which `#changed` is complete. */
  #scanned: number;
  #done = false;

  /** Takes the connection, its queue, and what to read as of which revision. */
  constructor(
    database: Database,
    queue: WriteQueue,
    filter: ChangeFilter,
    snapshot: number,
  ) {
    this.#database = database;
    this.#queue = queue;
    this.#kind = filter.kind;
    this.#rest = filter.keys;
    this.#snapshot = snapshot;
    this.#scanned = snapshot;
  }

  get done(): boolean {
    return this.#done;
  }

  async next(limit: number): Promise<ReplayEntry[]> {
    const slice = new Slice();
    for (;;) {
      const page = await this.#queue.readCommitted(
        "watch",
        () => this.#step(limit),
      );
      if (page) return page;
      if (slice.isUsedUp) await slice.nextTurn();
    }
  }

  /** Reads a page as of one moment, or looks through a part of the log first. */
  #step(limit: number): ReplayEntry[] | undefined {
    const head = headRevision(this.#database);
    this.#scanChanges(Math.min(head, this.#scanned + SCAN_WINDOW));
    if (this.#scanned < head) return undefined;
    return this.#database.snapshot(() => {
      // Others may have committed since the line above.
      this.#scanChanges(headRevision(this.#database));
      return this.#readPage(limit);
    });
  }

  #scanChanges(until: number): void {
    if (until <= this.#scanned) return;
    const fresh = new Map<string, ChangedKey>();
    for (
      const { key, revision } of this.#database.all(
        selectChangedKeys(this.#rest),
        this.#scanned,
        until,
        ...rangeParams(this.#kind, this.#rest),
      ) as unknown as ChangedKey[]
    ) {
      if (!fresh.has(key)) fresh.set(key, { key, revision });
    }
    this.#scanned = until;
    if (fresh.size === 0) return;
    const sorted = [...fresh.values()].sort((a, b) =>
      compareKeys(a.key, b.key)
    );
    this.#changed = withMissing(this.#changed, sorted);
  }

  #readPage(limit: number): ReplayEntry[] {
    const rows = this.#database.all(
      selectRange("entry", this.#rest, false),
      ...rangeParams(this.#kind, this.#rest),
      limit,
    ) as unknown as ReplayEntry[];
    const last = rows.length === limit ? rows[limit - 1].key : undefined;
    const page: ReplayEntry[] = [];
    let undone = 0;
    let current = 0;
    let reached: string | undefined;
    while (page.length < limit) {
      const row = rows[current] as ReplayEntry | undefined;
      const change = this.#changed[undone] as ChangedKey | undefined;
      // Past the rows that were read, a changed key may have rows before it.
      const undoNext = change !== undefined &&
        (row ? compareKeys(change.key, row.key) <= 0 : last === undefined);
      if (!undoNext && !row) break;
      const key = undoNext ? change.key : row!.key;
      if (row?.key === key) current++;
      if (undoNext) undone++;
      const entry = undoNext ? this.#previousOf(change) : row;
      if (entry) page.push(entry);
      reached = key;
    }
    if (reached !== undefined) this.#rest = rangePast(this.#rest, reached);
    this.#changed.splice(0, undone);
    this.#done = last === undefined && current === rows.length &&
      this.#changed.length === 0;
    assertLogReaches(this.#database, this.#snapshot);
    return page;
  }

  /** What the entry was before its first change: nothing, if that created it. */
  #previousOf({ key, revision }: ChangedKey): ReplayEntry | undefined {
    const change = this.#database.get(GET_PREVIOUS, revision);
    // Gone from the log, as is told once the page is read; or a creation.
    if (!change || change.type === "create") return undefined;
    const version = change.version as number;
    return {
      key,
      version: change.type === "update" ? version - 1 : version,
      value: change.previous as Uint8Array,
    };
  }
}

/** Both lists, in key order; of a key that is in both, the first list's item. */
function withMissing(
  known: readonly ChangedKey[],
  fresh: readonly ChangedKey[],
): ChangedKey[] {
  const all: ChangedKey[] = [];
  let next = 0;
  for (const item of fresh) {
    // By search: there may be many known keys, and few fresh ones.
    const at = lowerBound(known, item.key, next);
    while (next < at) all.push(known[next++]);
    if (known[next]?.key !== item.key) all.push(item);
  }
  while (next < known.length) all.push(known[next++]);
  return all;
}
