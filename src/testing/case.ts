/**
 * A test of the suite: a name, a function that gets a way to open stores, and
 * its requirements. Each test opens its own stores.
 *
 * @module
 */
import type { Store } from "../contract/store.ts";
import type { Codec } from "../values/codecs/codec.ts";
import type { Schema } from "../values/schemas/schema.ts";
import type { Limits, Manifest } from "./supports.ts";

/** The requirements of a test for its store. */
export interface OpenForTest {
  /**
   * How many changes the change log keeps. A store may keep a few more, but
   * never fewer.
   * @default {10000}
   */
  history?: number;
  /** The codecs of some kinds. The other kinds use JSON. */
  codec?: Readonly<Record<string, Codec>>;
  /** The schemas of some kinds. @default {none} */
  schemas?: Readonly<Record<string, Schema>>;
  /** Whether reads check values, too. @default {false} */
  validateReads?: boolean;
  /**
   * Whether a value counts as equal to the previous one. Without it, values
   * with the same encoded bytes are equal.
   */
  equals?: (kind: string, previous: unknown, next: unknown) => boolean;
}

/** Opens a new, empty store. */
export type Open = (options?: OpenForTest) => Promise<Store> | Store;

/** Closes a store and opens its storage again. */
export type Reopen = (store: Store) => Promise<Store> | Store;

/** A test. It gets a way to open stores, and their manifest. */
export type Run = (open: Open, supports: Manifest) => Promise<void>;

/** A test of a store whose entries survive closing. */
export type ReopeningRun = (
  open: Open,
  reopen: Reopen,
  supports: Manifest,
) => Promise<void>;

/**
 * A requirement of a test. Returns the missing ability, for the test's name
 * (`"it has no verify"`), or `undefined` if nothing is missing.
 */
export type Need = (supports: Manifest) => string | undefined;

/** A test that not every store can pass. */
export interface GatedCase {
  readonly need: Need;
  readonly run: Run;
}

/** Tests by name. */
export type Cases = Record<string, Run | GatedCase>;

/** Tests by name, for stores whose entries survive closing. */
export type ReopeningCases = Record<string, ReopeningRun>;

/** The same tests, for stores that meet a requirement. */
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

/** The store accepts a write with this many changes. */
export function needsChanges(changes: number): Need {
  return ({ limits }) =>
    limits.changes >= changes
      ? undefined
      : `it takes ${limits.changes} changes in one write`;
}

/** The store accepts a value with this many bytes, as JSON. */
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

/** The store has this limit, so a test can exceed it. */
export function needsLimit(limit: keyof Limits): Need {
  return ({ limits }) =>
    limits[limit] === Infinity
      ? `it has no limit of ${UNLIMITED[limit]}`
      : undefined;
}
