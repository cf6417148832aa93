/**
 * The change log as a watch sees it: the port between the watch stream, which
 * knows nothing of storage, and each store.
 *
 * @module
 */
import type { KeyRange } from "../keys/key_range.ts";
import type { MaybePromise } from "../base/promises.ts";
import type { ChangePage, StoredEntry } from "./entries.ts";

/** Which changes a watch asks for. */
export interface ChangeFilter {
  readonly kind: string;
  readonly keys: KeyRange;
}

/** A watch that has seen everything, and waits. */
export interface Wait {
  readonly kind: string;
  /** What it has seen: every change of its kind up to this revision. */
  readonly after: number;
  /** Whether the process is to go on running meanwhile. */
  readonly persistent: boolean;
  /** Aborts when the watch ends; the same each time it waits. */
  readonly signal: AbortSignal;
}

/** An entry of a replay, with its value still encoded. */
export type ReplayEntry = Omit<StoredEntry, "updatedAt">;

/** The entries as they were at a revision, page by page, in key order. */
export interface Replay {
  /** At most `limit` entries; fewer, even none, say nothing of the end. */
  next(limit: number): Promise<ReplayEntry[]>;
  /** Whether `next` has come to the end. */
  readonly done: boolean;
}

/**
 * A store's changes. `read` and a replay's `next` throw `WatchOverflowError`
 * where the log does not hold every change past the revision they start from.
 */
export interface ChangeLog {
  /** Every how many revisions a watch that sees none of them sets a bookmark. */
  readonly bookmarkInterval: number;
  /** The newest revision, of a store that is read-only: others have it from their queue. */
  head(): MaybePromise<number>;
  /** The next changes past a revision, at most `limit`. */
  read(
    filter: ChangeFilter,
    after: number,
    limit: number,
  ): MaybePromise<ChangePage>;
  /**
   * Resolves when there may be changes for a watch, when there were
   * `bookmarkInterval` others, and when the watch ends: with a revision up to
   * which it has missed none. It also resolves for a change that came after the
   * `read` before it: a notification may come while an answer is on its way.
   */
  wait(wait: Wait): Promise<number>;
  /** Begins to read the entries as they were at a revision. */
  replay(filter: ChangeFilter, revision: number): Replay;
}
