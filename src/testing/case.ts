/**
 * What a test of the suite is: a name and a function, which is handed the way
 * to open stores. Each test opens its own.
 *
 * @module
 */
import type { Store } from "../contract/store.ts";
import type { Schema } from "../values/schemas/schema.ts";

/** What a test asks of the store it opens. */
export interface OpenForTest {
  /**
   * How many changes the change log keeps for watchers to catch up on or
   * resume from. A store may keep somewhat more, never fewer.
   * @default {10000}
   */
  history?: number;
  /** What checks the values of each kind that is named. @default {none} */
  schemas?: Readonly<Record<string, Schema>>;
  /** Whether values that are read are checked, too. @default {false} */
  validateReads?: boolean;
  /**
   * Whether a value counts as the one before. Without it, the same value does,
   * as the store encodes it.
   */
  equals?: (kind: string, previous: unknown, next: unknown) => boolean;
}

/** Opens a new, empty store. */
export type Open = (options?: OpenForTest) => Promise<Store> | Store;

/** Closes a store and opens its storage again. */
export type Reopen = (store: Store) => Promise<Store> | Store;

/** Tests by name. */
export type Cases = Record<string, (open: Open) => Promise<void>>;

/** Tests by name, of stores that keep what they hold when they are closed. */
export type ReopeningCases = Record<
  string,
  (open: Open, reopen: Reopen) => Promise<void>
>;
