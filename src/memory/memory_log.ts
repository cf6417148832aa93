/**
 * The change log of a store in memory.
 *
 * @module
 */
import type { ChangeFilter } from "../engine/change_log.ts";
import { drawMark } from "../engine/cursor.ts";
import type { ChangePage, StoredChange } from "../engine/entries.ts";
import { prunedPast } from "../engine/log_ends.ts";
import { PAGE_BYTES, PAGE_ENTRIES } from "../engine/page.ts";
import { isInRange, type KeyRange } from "../keys/key_range.ts";
import type { ChangedKey, Previous } from "../local/storage.ts";
import type { Logged } from "./kept.ts";

/** Changes by their revisions. */
export class MemoryLog {
  /** The first has the revision `#pruned + 1`. */
  readonly #changes: Logged[] = [];
  #pruned = 0;
  /** The mark of the revision at which the log began. */
  readonly #mark = drawMark();

  /** The newest revision, 0 before the first. */
  get head(): number {
    return this.#pruned + this.#changes.length;
  }

  /** The oldest revision in the log, or the next one if the log is empty. */
  get oldest(): number {
    return this.#pruned + 1;
  }

  /** Adds the next change. */
  add(change: Logged): void {
    this.#changes.push(change);
  }

  /** Removes the newest change. */
  takeBack(): Logged {
    return this.#changes.pop()!;
  }

  /** The change of a revision, if it is in the log. */
  get(revision: number): Logged | undefined {
    return this.#changes[revision - this.#pruned - 1];
  }

  /** The changes after a revision, up to another. */
  *between(after: number, until: number): Generator<[number, Logged]> {
    const first = Math.max(after, this.#pruned) + 1;
    for (let revision = first; revision <= until; revision++) {
      yield [revision, this.get(revision)!];
    }
  }

  *#backBetween(before: number, after: number): Generator<[number, Logged]> {
    const last = Math.max(after, this.#pruned);
    const first = Math.min(before - 1, this.head);
    for (let revision = first; revision > last; revision--) {
      yield [revision, this.get(revision)!];
    }
  }

  /** The next changes that pass a filter. */
  read(
    filter: ChangeFilter,
    after: number,
    until: number,
    limit: number,
  ): ChangePage {
    if (after < this.#pruned) throw prunedPast(after, this.oldest);
    return readPage(filter, this.between(after, until), until, limit);
  }

  /** The same, from the last change back. */
  readBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
  ): ChangePage {
    const changes = this.#backBetween(before, after);
    return readPage(filter, changes, after + 1, limit);
  }

  /** The keys of a kind that changed. */
  listChangedKeys(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
  ): ChangedKey[] {
    const keys: ChangedKey[] = [];
    for (const [revision, change] of this.between(after, until)) {
      if (change.kind !== kind || !isInRange(range, change.key)) continue;
      keys.push({ key: change.key, revision });
    }
    return keys;
  }

  /** The kinds that changed. */
  listChangedKinds(after: number, until: number): string[] {
    const kinds = new Set<string>();
    for (const [, { kind }] of this.between(after, until)) kinds.add(kind);
    return [...kinds];
  }

  /** The entry that a change replaced. */
  getPrevious(revision: number): Previous | undefined {
    const previous = this.get(revision)?.previous;
    return previous && {
      ...previous,
      value: previous.value.slice(),
      updatedAt: new Date(previous.updatedAt),
    };
  }

  /** The mark of a revision. */
  getMark(revision: number): number | undefined {
    return revision === 0 ? this.#mark : this.get(revision)?.mark;
  }

  /** Removes the changes up to a revision. */
  prune(until: number): void {
    this.#changes.splice(0, until - this.#pruned);
    this.#pruned = until;
  }

  /** An independent copy of the log. */
  clone(): MemoryLog {
    const clone = new MemoryLog();
    clone.#pruned = this.#pruned;
    for (const change of this.#changes) clone.#changes.push(change);
    return clone;
  }
}

function readPage(
  { kinds, keys, previous = false }: ChangeFilter,
  logged: Iterable<[number, Logged]>,
  end: number,
  limit: number,
): ChangePage {
  const changes: StoredChange[] = [];
  const most = Math.min(limit, PAGE_ENTRIES);
  let left = PAGE_BYTES;
  for (const [revision, change] of logged) {
    if (kinds && !kinds.includes(change.kind)) continue;
    if (!isInRange(keys, change.key)) continue;
    left -= sizeOf(change, previous);
    const isFull = changes.length === most || (left < 0 && changes.length > 0);
    if (isFull) return { changes, cursor: changes.at(-1)!.revision };
    changes.push(toChange(revision, change, previous));
  }
  return { changes, cursor: end };
}

function sizeOf({ entry, previous }: Logged, both: boolean): number {
  const size = (entry ?? previous)!.value.byteLength;
  return entry && previous && both ? size + previous.value.byteLength : size;
}

function toChange(
  revision: number,
  { entry, previous, time, ...change }: Logged,
  withPrevious: boolean,
): StoredChange {
  const { version, value, expiresAt } = (entry ?? previous)!;
  return {
    ...change,
    revision,
    version,
    value: value.slice(),
    previous: withPrevious && entry ? previous?.value.slice() : undefined,
    expiresAt: entry && expiresAt,
    time: new Date(time),
  };
}
