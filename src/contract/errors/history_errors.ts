/**
 * Errors of watches, of reads of the past, and of imports.
 *
 * @module
 */
import { StoreError } from "./store_error.ts";

/**
 * Why a watch may miss changes:
 *
 * - `"pruned"`: the change log no longer holds every change that the watch has
 *   yet to see. The consumer fell behind by more than `history`, or resumed
 *   from a revision that is too old.
 * - `"ahead"`: the store has not reached the revision to resume from. The
 *   revision is of another store, or of a state that was replaced since, for
 *   example by a backup.
 * - `"history"`: at the cursor's revision, the store has another change than the
 *   cursor names. The cursor is of another store, or the store was put back to
 *   an earlier state, or a loss of power took its last changes.
 * - `"broken"`: somebody altered the change log, or the triggers that write it.
 *   The log may lack changes.
 */
export type WatchOverflowReason = "pruned" | "ahead" | "history" | "broken";

/**
 * The watch may miss changes. Its `reason` tells why. Read the kind again, and
 * start a new watch.
 *
 * @example
 * ```ts
 * import { openStore, WatchOverflowError } from "@zestor/store";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using store = await openStore({ path: ":memory:", history: 1 });
 * const { revision } = await store.set("users", "al", 1);
 * await store.set("users", "al", 2);
 * await store.set("users", "al", 3);
 *
 * const changes = store.watch("users", { after: revision }).getReader();
 * const error = await assertRejects(() => changes.read(), WatchOverflowError);
 * assertEquals(error.reason, "pruned");
 * ```
 */
export class WatchOverflowError extends StoreError {
  /** Why changes may be missing. */
  readonly reason: WatchOverflowReason;

  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(
    reason: WatchOverflowReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super("WATCH_OVERFLOW", message, options);
    this.reason = reason;
  }
}

/**
 * Why a past revision cannot be read:
 *
 * - `"pruned"`: the change log no longer reaches back to the revision.
 * - `"ahead"`: the store has not reached the revision.
 * - `"history"`: at the cursor's revision, the store has another change than the
 *   cursor names.
 * - `"broken"`: somebody altered the change log, or the triggers that write it.
 */
export type RevisionUnavailableReason = WatchOverflowReason;

/**
 * The change log does not reach back to the past revision.
 *
 * @example
 * ```ts
 * import { openStore, RevisionUnavailableError } from "@zestor/store";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using store = await openStore({ path: ":memory:", history: 1 });
 * const { revision } = await store.set("users", "al", 1);
 * await store.set("users", "al", 2);
 * await store.set("users", "al", 3);
 *
 * const error = await assertRejects(
 *   () => store.snapshot({ at: revision }),
 *   RevisionUnavailableError,
 * );
 * assertEquals(error.reason, "pruned");
 * ```
 */
export class RevisionUnavailableError extends StoreError {
  /** Why the revision cannot be read. */
  readonly reason: RevisionUnavailableReason;

  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(
    reason: RevisionUnavailableReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super("REVISION_UNAVAILABLE", message, options);
    this.reason = reason;
  }
}

/**
 * A line cannot be imported. Without `onRefused`, nothing of this line's
 * transaction was written; earlier transactions stay. With `onRefused`, the error
 * means that too many lines were refused, and that the lines before them were
 * written.
 *
 * @example
 * ```ts
 * import { openStore, ImportError } from "@zestor/store";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using store = await openStore({ path: ":memory:" });
 * const lines = new Blob(['{"kind":"users"}\n']).stream();
 * const error = await assertRejects(() => store.import(lines), ImportError);
 * assertEquals(error.line, 1);
 * ```
 */
export class ImportError extends StoreError {
  /** The line's number, from 1. */
  readonly line: number;

  /** Makes the error for a line; `options.cause` is the error behind it. */
  constructor(line: number, reason: string, options?: ErrorOptions) {
    super("IMPORT", `Cannot import line ${line}: ${reason}`, options);
    this.line = line;
  }
}
