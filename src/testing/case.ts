/**
 * What a test of the suite is: a name, a function, which is handed the way to
 * open stores, and what it needs of them. Each test opens its own stores.
 *
 * @module
 */
import type { Store } from "../contract/store.ts";
import type { Codec } from "../values/codecs/codec.ts";
import type { Schema } from "../values/schemas/schema.ts";
import type { Limits, Manifest } from "./supports.ts";

/** What a test asks of the store it opens. */
export interface OpenForTest {
  /**
   * How many changes the change log keeps for watchers to catch up on or
   * resume from. A store may keep somewhat more, never fewer.
   * @default {10000}
   */
  history?: number;
  /** What encodes the values of each kind that is named; JSON those of others. */
  codec?: Readonly<Record<string, Codec>>;
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

/** A test. It is handed the way to open stores, and what they support. */
export type Run = (open: Open, supports: Manifest) => Promise<void>;

/** A test of a store that keeps what it holds when it is closed. */
export type ReopeningRun = (
  open: Open,
  reopen: Reopen,
  supports: Manifest,
) => Promise<void>;

/**
 * What a test needs of a store. It returns what the store lacks, for the test's
 * name (`"it has no verify"`), or `undefined` if it lacks nothing.
 */
export type Need = (supports: Manifest) => string | undefined;

/** A test that not every store is asked. */
export interface GatedCase {
  readonly need: Need;
  readonly run: Run;
}

/** Tests by name. */
export type Cases = Record<string, Run | GatedCase>;

/** Tests by name, of stores that keep what they hold when they are closed. */
export type ReopeningCases = Record<string, ReopeningRun>;

/** The same tests, for the stores that have what they need. */
export function needing(
  need: Need,
  cases: Record<string, Run>,
): Record<string, GatedCase> {
  return Object.fromEntries(
    Object.entries(cases).map(([name, run]) => [name, { need, run }]),
  );
}

export const needsVerify: Need = ({ verify }) =>
  verify ? undefined : "it has no verify";

export const needsImportedVersions: Need = ({ importedVersions }) =>
  importedVersions
    ? undefined
    : "it gives imported entries versions of its own";

export const needsChecksBeforeEquals: Need = ({ checksBeforeEquals }) =>
  checksBeforeEquals ? undefined : "it may ask equals before it checks";

/** The store takes a write of so many changes. */
export function needsChanges(changes: number): Need {
  return ({ limits }) =>
    limits.changes >= changes
      ? undefined
      : `it takes ${limits.changes} changes in one write`;
}

/** The store takes a value of so many bytes, as JSON. */
export function needsValueBytes(bytes: number): Need {
  return ({ limits }) =>
    limits.valueBytes >= bytes
      ? undefined
      : `it takes ${limits.valueBytes} bytes in one value`;
}

const UNLIMITED: Readonly<Record<keyof Limits, string>> = {
  nameBytes: "names",
  valueBytes: "values",
  changes: "changes in one write",
};

/** The store has a limit, so that a test can go past it. */
export function needsLimit(limit: keyof Limits): Need {
  return ({ limits }) =>
    limits[limit] === Infinity
      ? `it has no limit of ${UNLIMITED[limit]}`
      : undefined;
}
