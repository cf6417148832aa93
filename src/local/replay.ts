/**
 * Reads a kind as it was at a past revision, by undo: the entries that are
 * there now, with every key that changed since put back to what its first
 * change replaced. It holds no read transaction, which would pin the WAL, and
 * no more in memory than a page and the keys that changed since.
 *
 * @module
 */
import { compareKeys, lowerBound } from "../keys/key_order.ts";
import { type KeyRange, rangePast } from "../keys/key_range.ts";
import type { MaybePromise } from "../base/promises.ts";
import { Slice } from "../base/slice.ts";
import { PAGE_BYTES, PAGE_ENTRIES } from "../engine/page.ts";
import type { StoredEntry } from "../engine/entries.ts";
import type { ChangedKey, Storage } from "./storage.ts";
import type {
  ChangeFilter,
  Replay,
  ReplayEntry,
} from "../engine/change_log.ts";
import { assertLogged, assertLogReaches } from "./revisions.ts";

/** How many revisions one step looks through for changed keys. */
const SCAN_WINDOW = 10_000;

/** Runs a read in its turn. */
export type ReadInTurn = <T>(work: () => T) => MaybePromise<T>;

/** A replay of the entries in a storage. */
export class UndoReplay implements Replay {
  readonly #storage: Storage;
  readonly #read: ReadInTurn;
  readonly #kind: string;
  readonly #snapshot: number;
  /** The keys still to come. */
  #rest: KeyRange;
  /** The changed keys among them, in key order. */
  #changed: ChangedKey[] = [];
  /** The revision up to which `#changed` is complete. */
  #scanned: number;
  #done = false;

  /** Takes the storage, how to read it, and what to read as of which revision. */
  constructor(
    storage: Storage,
    read: ReadInTurn,
    filter: ChangeFilter,
    snapshot: number,
  ) {
    this.#storage = storage;
    this.#read = read;
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
      const page = await this.#read(() => this.#step(limit));
      if (page) return page;
      if (slice.isUsedUp) await slice.nextTurn();
    }
  }

  /** Reads a page as of one moment, or looks through a part of the log first. */
  #step(limit: number): ReplayEntry[] | undefined {
    assertLogged(this.#storage);
    const head = this.#storage.headRevision();
    this.#scanChanges(Math.min(head, this.#scanned + SCAN_WINDOW));
    if (this.#scanned < head) return undefined;
    return this.#storage.snapshot(() => {
      // Others may have committed since the line above.
      this.#scanChanges(this.#storage.headRevision());
      return this.#readPage(limit);
    });
  }

  #scanChanges(until: number): void {
    if (until <= this.#scanned) return;
    const fresh = new Map<string, ChangedKey>();
    const changes = this.#storage.listChangedKeys(
      this.#kind,
      this.#rest,
      this.#scanned,
      until,
    );
    for (const { key, revision } of changes) {
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
    const { items: rows, rest } = this.#storage.readEntries(
      this.#kind,
      this.#rest,
      { limit: Math.min(limit, PAGE_ENTRIES) },
    );
    const page: ReplayEntry[] = [];
    let undone = 0;
    let current = 0;
    // A previous value's size is known when it is read, so one may be too much.
    let bytes = 0;
    let reached: string | undefined;
    // Of a key that was created since, undoing leaves nothing: many make a page.
    while (
      page.length < limit && undone < PAGE_ENTRIES && bytes < PAGE_BYTES
    ) {
      const row = rows[current] as StoredEntry | undefined;
      const change = this.#changed[undone] as ChangedKey | undefined;
      // Past the rows that were read, a changed key may have rows before it.
      const undoNext = change !== undefined &&
        (row ? compareKeys(change.key, row.key) <= 0 : rest === undefined);
      if (!undoNext && !row) break;
      const key = undoNext ? change.key : row!.key;
      if (row?.key === key) current++;
      if (undoNext) undone++;
      const entry = undoNext ? this.#previousOf(change) : row;
      if (entry) page.push(entry);
      bytes += entry?.value.byteLength ?? 0;
      reached = key;
    }
    // Whatever fails does so before the page counts as read: it may be tried again.
    assertLogReaches(this.#storage, this.#snapshot);
    if (reached !== undefined) this.#rest = rangePast(this.#rest, reached);
    this.#changed.splice(0, undone);
    this.#done = rest === undefined && current === rows.length &&
      this.#changed.length === 0;
    return page;
  }

  /** What the entry was before its first change: nothing, if that created it. */
  #previousOf({ key, revision }: ChangedKey): ReplayEntry | undefined {
    // Gone from the log, as is told once the page is read; or a creation.
    const previous = this.#storage.getPrevious(revision);
    return previous && { key, ...previous };
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
