/**
 * The reads of an engine's entries.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import type { KeyRange } from "../keys/key_range.ts";
import type { EntryState, StoredEntry, StoredValue } from "./entries.ts";
import type { Page, PageOptions } from "./page.ts";

/**
 * The entries at one moment, or at the moment of each call. Entries that have
 * expired then are left out. Results are in key order. A read rejects with
 * `signal.reason` if the signal aborts.
 */
export interface View {
  /**
   * The bytes of a value. It is separate from `entry`, because it is cheaper.
   */
  value(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): MaybePromise<Uint8Array | undefined>;
  entry(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): MaybePromise<StoredEntry | undefined>;
  /** The version and revision of an entry. It may cost less than the entry. */
  state(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): MaybePromise<EntryState | undefined>;
  /**
   * The values of several keys, at one moment, in any order. Missing entries
   * are left out.
   */
  some(
    kind: string,
    keys: readonly string[],
    signal?: AbortSignal,
  ): MaybePromise<StoredValue[]>;
  /**
   * The next keys of a range. A page of keys has no values, and no limit of
   * bytes.
   */
  keys(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): MaybePromise<Page<string>>;
  /** The next keys of a range, with their values. */
  values(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): MaybePromise<Page<StoredValue>>;
  /** The next entries of a range. */
  entries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): MaybePromise<Page<StoredEntry>>;
  /** The number of entries, counted up to `limit`. */
  count(
    kind: string,
    range: KeyRange,
    limit?: number,
    signal?: AbortSignal,
  ): MaybePromise<number>;
  /** The kinds that have entries. */
  kinds(signal?: AbortSignal): MaybePromise<string[]>;
}

/** The entries as of one moment, also if others write meanwhile. */
export interface Snapshot extends Pick<View, "kinds" | "entries"> {
  /**
   * Does nothing if the snapshot is closed already. `Engine.close` closes all
   * open snapshots.
   */
  close(): MaybePromise<void>;
}

/**
 * The entries as they were at a revision, read with the help of the later
 * changes in the log. It blocks nobody, and takes no space in the engine. A
 * read throws `WatchOverflowError` if the log no longer reaches the revision,
 * or was put back and has another change there.
 */
export interface PastView extends View {
  readonly revision: number;
  /**
   * Does nothing if the view is closed already. The engine need not wait for
   * it.
   */
  close(): MaybePromise<void>;
}
