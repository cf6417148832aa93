/**
 * The parts of a batch, as numbers.
 *
 * @module
 */

/** The action of a step. */
export const STEP = {
  /** The entry has the version `num`; 0 if there is none. */
  checkVersion: 1,
  /** The entry's last change has the revision `num`; 0 if there is none. */
  checkRevision: 2,
  /** There is an entry if `num` is 1, and none if it is 0. */
  checkExists: 3,
  /** The entry has these bytes, or does not exist, as a decision saw it. */
  seen: 4,
  put: 5,
  /** The entry keeps its expiry. */
  putKeeping: 6,
  /** `num` is the version of a created entry, and `extra` the time of its last change. */
  putFrom: 7,
  remove: 8,
  /** The answer has the removed entry. */
  removeTelling: 9,
  keep: 10,
  /** Removes from `key` up to `extra`. `num` has a bit for each bound. */
  removeRange: 11,
  /** The write fails in any case; only its conditions are checked. */
  fail: 12,
  /**
   * The time is `num` or later, and before `expiry`; either may be missing.
   * Otherwise, the decision is stale.
   */
  during: 13,
} as const;

/** The bits of a range's bounds. */
export const BOUND = { lowerInclusive: 1, hasUpper: 2, upperInclusive: 4 };

/** The error code for a batch that was given up. */
export const SUPERSEDED = "ZS001";

/**
 * The error code for an entry with the largest version. The detail is JSON of
 * the number of steps after it, its kind and its key.
 */
export const LAST_VERSION = "ZS002";
