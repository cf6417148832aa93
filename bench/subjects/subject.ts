/**
 * The compared subjects: one interface for the store, for raw statements, and
 * for alternatives.
 *
 * @module
 */
import type { Value } from "../values.ts";

/** A result, or the promise of one. */
export type MaybePromise<T> = T | PromiseLike<T>;

/**
 * The family of a subject: this store; prepared statements on the store's own
 * tables, which are its limit; or another store.
 */
export type Family = "store" | "raw" | "peer";

/** A subject. */
export interface Subject {
  /** The name in the tables. */
  readonly name: string;
  readonly family: Family;
  /** Whether a resolved write survives the loss of power. */
  readonly isDurable: boolean;
  /** The settings for that, or the reason why not. */
  readonly durability: string;
  /** The way in which `setAll` writes, if it can write many entries at once. */
  readonly setsAllBy?: string;
  /** For a store: the name of the raw statements that are its limit. */
  readonly limit?: string;
  /** Opens the database in a folder of its own; in an empty one, a new one. */
  open(folder: string): Promise<Session>;
}

/** A subject that is not available here. */
export interface Absent {
  readonly name: string;
  /** Why. */
  readonly absent: string;
}

/** What `Subject.setsAllBy` says of most. */
export const AT_ONCE = "one transaction";

/** An open database with one collection. */
export interface Session {
  /** The value, decoded. */
  get(key: string): MaybePromise<Value | undefined>;
  /** Replaces the value of an existing key. Resolves when that is durable. */
  set(key: string, value: Value): MaybePromise<unknown>;
  /**
   * Replaces values like concurrent callers, each with one of them. Without it,
   * each caller uses `set`.
   */
  setTogether?(entries: readonly [string, Value][]): MaybePromise<unknown>;
  /** Adds new entries, in as few transactions as possible. */
  setAll(entries: readonly [string, Value][]): MaybePromise<unknown>;
  /** All values by key, in one piece. */
  list?(): MaybePromise<ReadonlyMap<string, Value>>;
  /** All entries with their versions. Returns their number. */
  entries?(): MaybePromise<number>;
  /** Closes it. */
  close(): MaybePromise<unknown>;
}

/** Whether something is a promise. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null)?.then === "function";
}
