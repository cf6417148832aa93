/**
 * What is compared: one interface for the store, for raw statements, and for
 * what a user would take instead.
 *
 * @module
 */
import type { Value } from "../values.ts";

/** A result, or the promise of one. */
export type MaybePromise<T> = T | PromiseLike<T>;

/**
 * What a subject is: this store; prepared statements on the store's own tables,
 * which are its limit; or another store.
 */
export type Family = "store" | "raw" | "peer";

/** Something to compare. */
export interface Subject {
  /** What the tables call it. */
  readonly name: string;
  readonly family: Family;
  /** Whether a resolved write survives the loss of power. */
  readonly isDurable: boolean;
  /** By which settings, or why not. */
  readonly durability: string;
  /** By what `setAll` writes, if it can write many at once at all. */
  readonly setsAllBy?: string;
  /** Of a store, the raw statements that are its limit, by name. */
  readonly limit?: string;
  /** Opens the database in a folder of its own; in an empty one, a new one. */
  open(folder: string): Promise<Session>;
}

/** A subject that cannot be had here. */
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
  /** Replaces the value of a key that is there; resolves when that is durable. */
  set(key: string, value: Value): MaybePromise<unknown>;
  /**
   * Replaces values as callers would who come at once, each with one of them.
   * Without it each caller's is a `set`.
   */
  setTogether?(entries: readonly [string, Value][]): MaybePromise<unknown>;
  /** Adds entries that are not there, in as few transactions as it can. */
  setAll(entries: readonly [string, Value][]): MaybePromise<unknown>;
  /** All values by key, in one piece. */
  list?(): MaybePromise<ReadonlyMap<string, Value>>;
  /** All entries with their versions; gives how many there were. */
  entries?(): MaybePromise<number>;
  /** Closes it. */
  close(): MaybePromise<unknown>;
}

/** Whether something is a promise. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null)?.then === "function";
}
