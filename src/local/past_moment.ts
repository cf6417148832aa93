/**
 * The moment that a view of the past is of.
 *
 * @module
 */
import { WatchOverflowError } from "../contract/errors.ts";
import { assertLogged, assertLogReaches } from "./revisions.ts";
import type { Changes } from "./storage.ts";

/** A revision, and the time that tells which entries had expired. */
export interface PastMoment {
  readonly revision: number;
  /** In ms since 1970: an entry that had expired then is left out. */
  readonly time: number;
}

/**
 * The moment of a revision, or now. Without a time it is of the time of that
 * revision's change, or of now. Throws `WatchOverflowError` if the log does not
 * reach the revision, in one direction or the other.
 */
export function momentOf(
  changes: Changes,
  at?: number,
  time?: number,
): PastMoment {
  assertLogged(changes);
  const head = changes.headRevision();
  const revision = at ?? head;
  if (revision > head) throw notReached(revision, head);
  assertLogReaches(changes, revision);
  return { revision, time: time ?? timeOf(changes, at) };
}

function notReached(revision: number, head: number): WatchOverflowError {
  return new WatchOverflowError(
    "ahead",
    `Cannot read revision ${revision}: the store is at ${head}`,
  );
}

/**
 * When the change of a revision was made; now, if that is not known. It is not
 * later: a writer's clock may be ahead, and plain SQL may write any time, which
 * must not hide entries that have not expired.
 */
function timeOf(changes: Changes, revision: number | undefined): number {
  const now = Date.now();
  if (revision === undefined) return now;
  const time = changes.getTime(revision) ?? changes.getTime(revision + 1);
  return Math.min(time?.getTime() ?? now, now);
}
