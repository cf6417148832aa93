/**
 * What can be read of an engine's entries.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import type { KeyRange } from "../keys/key_range.ts";
import type { EntryState, StoredEntry, StoredValue } from "./entries.ts";
import type { Page, PageOptions } from "./page.ts";

/**
 * The entries as of one moment, or of the moment of each call: those that have
 * not expired then. What is read is in key order. A read rejects with
 * `signal.reason` if the signal aborts.
 */
export interface View {
  /** The bytes of a value. Apart from `entry`, because it is cheaper. */
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
  /** The values of several keys, as of one moment, in any order; those that are there. */
  some(
    kind: string,
    keys: readonly string[],
    signal?: AbortSignal,
  ): MaybePromise<StoredValue[]>;
  /** The next keys of a range: a page of them has no values, and no bytes. */
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
  /** How many entries there are, counted up to `limit`. */
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
  /** Does nothing if it is closed already. `Engine.close` closes each that is open. */
  close(): MaybePromise<void>;
}

/**
 * The entries as they were at a revision, read by what the change log tells of
 * each change since. It keeps nobody waiting, and costs the engine no space.
 * A read throws `WatchOverflowError` if the log no longer reaches, or was put
 * back, and has another change at the revision.
 */
export interface PastView extends View {
  readonly revision: number;
  /** Does nothing if it is closed already. The engine need not wait for it. */
  close(): MaybePromise<void>;
}
