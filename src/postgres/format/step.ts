/**
 * What a batch is made of, as numbers.
 *
 * @module
 */

/** What a step does. */
export const STEP = {
  /** The entry has the version `num`; 0 if there is none. */
  checkVersion: 1,
  /** The entry's last change has the revision `num`; 0 if there is none. */
  checkRevision: 2,
  /** There is an entry if `num` is 1, and none if it is 0. */
  checkExists: 3,
  /** The entry has these bytes, or there is none: what a decision saw. */
  seen: 4,
  put: 5,
  /** The entry expires when it did before. */
  putKeeping: 6,
  /** `num` is the version of an entry that is created, `extra` when it was last changed. */
  putFrom: 7,
  remove: 8,
  /** The answer tells what was removed. */
  removeTelling: 9,
  keep: 10,
  /** Removes from `key` up to `extra`; `num` has a bit for each bound. */
  removeRange: 11,
  /** The write fails in any case; its conditions are what is asked. */
  fail: 12,
  /** It is `num` or later, and before `expiry`; either may be missing. Else what a decision saw is out of date. */
  during: 13,
} as const;

/** The bits of a range's bounds. */
export const BOUND = { lowerInclusive: 1, hasUpper: 2, upperInclusive: 4 };

/** The condition under which a sent batch was given up. */
export const SUPERSEDED = "ZS001";

/** The condition under which an entry has its last version; the detail is JSON of how many steps come after, of its kind and of its key. */
export const LAST_VERSION = "ZS002";
