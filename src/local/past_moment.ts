/**
 * The moment of a view of the past.
 *
 * @module
 */
import { WatchOverflowError } from "../contract/errors.ts";
import { assertLogged, assertLogReaches } from "./revisions.ts";
import type { Changes } from "./storage.ts";

/** A revision, and the time that decides which entries had expired. */
export interface PastMoment {
  readonly revision: number;
  /** In ms since 1970: an entry that had expired then is left out. */
  readonly time: number;
}

/**
 * The moment of a revision, or the present. Without a time, it has the time of
 * the revision's change, or the present time. Throws `WatchOverflowError` if
 * the log does not reach the revision, backwards or forwards.
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
 * The time of a revision's change; the present if it is unknown. It is never
 * later than the present: a writer's clock may be ahead, and plain SQL may
 * write any time, but this must not hide entries that have not expired.
 */
function timeOf(changes: Changes, revision: number | undefined): number {
  const now = Date.now();
  if (revision === undefined) return now;
  const time = changes.getTime(revision) ?? changes.getTime(revision + 1);
  return Math.min(time?.getTime() ?? now, now);
}
