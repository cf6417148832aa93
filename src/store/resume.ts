/**
 * Finds the place where a watch or a history resumes. The change that a cursor
 * names must be the one that the store has at its revision.
 *
 * @module
 */
import { WatchOverflowError } from "../contract/errors.ts";
import type { ChangeLog } from "../engine/change_log.ts";
import type { Cursor } from "../engine/cursor.ts";

const ANEW = "read the entries again and watch from there";

/**
 * The place to resume. Throws `WatchOverflowError` if the store, whose newest
 * revision was `head`, may lack a change since then.
 */
export async function resumeAfter(
  log: ChangeLog,
  cursor: Cursor,
  head: number,
): Promise<Cursor> {
  const { revision, mark } = cursor;
  // A long read of this store may hide what others wrote since the read began.
  if (revision > head) await assertReached(log, revision);
  if (mark === undefined) return await withMark(log, revision);
  const found = await log.markOf(revision);
  if (found === mark) return cursor;
  if (found !== undefined) throw anotherHistory(revision);
  if (log.canBePutBack) await assertReached(log, revision);
  throw new WatchOverflowError(
    "pruned",
    `Cannot go on after revision ${revision}: the change log no longer has it; ${ANEW}, and if this happens often, open the store with a longer history`,
  );
}

/**
 * A revision of the present store, with its mark if the log can be put back.
 */
export async function withMark(
  log: ChangeLog,
  revision: number,
): Promise<Cursor> {
  const mark = log.canBePutBack ? await log.markOf(revision) : undefined;
  return { revision, mark };
}

/**
 * Throws `WatchOverflowError` if the log was put back, and has another change
 * there.
 */
export async function assertSameHistory(
  log: ChangeLog,
  { revision, mark }: Cursor,
): Promise<void> {
  if (!log.canBePutBack || mark === undefined) return;
  const found = await log.markOf(revision);
  if (found !== undefined && found !== mark) throw anotherHistory(revision);
}

async function assertReached(log: ChangeLog, revision: number): Promise<void> {
  const newest = await log.newest();
  if (revision > newest) throw notReached(revision, newest);
}

/** The error if the log ends before a revision. */
export function notReached(
  revision: number,
  newest: number,
): WatchOverflowError {
  return new WatchOverflowError(
    "ahead",
    `Cannot go on after revision ${revision}: the store is at ${newest}, so that revision is another store's, or of a state that was replaced, as by a backup; ${ANEW}`,
  );
}

function anotherHistory(revision: number): WatchOverflowError {
  return new WatchOverflowError(
    "history",
    `Cannot go on after revision ${revision}: the store has another change there, so the cursor is another store's, or the store was put back to an earlier state; ${ANEW}`,
  );
}
