/**
 * Where a watch or a history goes on: the revision that a cursor names, if its
 * change is the one that the store has there.
 *
 * @module
 */
import { WatchOverflowError } from "../contract/errors.ts";
import type { ChangeLog } from "../engine/change_log.ts";
import type { Cursor } from "../engine/cursor.ts";

const ANEW = "read the entries again and watch from there";

/**
 * The revision to resume after. Throws `WatchOverflowError` if the store, whose
 * newest revision is `head`, may not tell every change since.
 */
export async function resumeAfter(
  log: ChangeLog,
  { revision, mark }: Cursor,
  head: number,
): Promise<number> {
  // A long read of this store may hide what others wrote since it began.
  const newest = revision > head ? await log.newest() : head;
  if (revision > newest) {
    throw new WatchOverflowError(
      "ahead",
      `Cannot go on after revision ${revision}: the store is at ${newest}, so that revision is another store's, or of a state that was replaced, as by a backup; ${ANEW}`,
    );
  }
  if (mark === undefined) return revision;
  const found = await log.markOf(revision);
  if (found === mark) return revision;
  throw found === undefined
    ? new WatchOverflowError(
      "pruned",
      `Cannot go on after revision ${revision}: the change log no longer has it; ${ANEW}, and if this happens often, open the store with a longer history`,
    )
    : new WatchOverflowError(
      "history",
      `Cannot go on after revision ${revision}: the store has another change there, so the cursor is another store's, or the store was put back to an earlier state; ${ANEW}`,
    );
}
