/**
 * Copies a store into another one, once or continuously. It uses only the
 * contract of stores, so it copies between any two.
 *
 * The invariants:
 * - Before the first entry is written, the place says that a copy has begun.
 *   Before changes are followed, all entries are there, as of the revision in
 *   the place.
 * - Entries that only the target has are never deleted, unless the caller asks
 *   for it, or an earlier run has copied them from the same source.
 *
 * @module
 */
import { quote } from "../../base/messages.ts";
import {
  RevisionUnavailableError,
  StoreBusyError,
  StoreReadOnlyError,
  StoreUnavailableError,
  UnknownOutcomeError,
  WatchOverflowError,
} from "../../contract/errors.ts";
import type { Reads } from "../../contract/reads.ts";
import type { Store } from "../../contract/store.ts";
import {
  copyEntries,
  type CopyResult,
  type EntriesCopy,
  type ExtraEntries,
  findExtra,
} from "./copy_entries.ts";
import { CannotCopyError, DivergedError } from "./errors.ts";
import { followChanges, type Following } from "./follow_changes.ts";
import { PlaceEntry, type SourceCursor } from "./place.ts";
import { assertInLog, cursorAt, isInLog } from "./source_cursor.ts";

/** The first and the longest pause before a retry, in ms. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

/** The settings of a copy. */
export interface StoreCopy extends EntriesCopy {
  /**
   * The treatment of entries of these kinds that only the target has. With
   * `"refuse"`, the copy rejects with `CannotCopyError` before it writes
   * anything, unless it continues an interrupted copy.
   */
  readonly extra: "refuse" | ExtraEntries;
}

/** The settings of a continuous copy, and its callbacks. */
export interface StoreFollow extends StoreCopy, Following {
  readonly extra: "refuse" | "delete";
  /**
   * Called when it begins to follow changes. It gets the result of the copy
   * before, if there was one.
   */
  readonly onFollowing?: (
    copied: CopyResult | undefined,
  ) => void | Promise<void>;
  /** Called before it copies the entries again, because the log does not have all changes. */
  readonly onCopyAgain?: (why: Error) => void;
  /** Called when a store cannot be reached, before a retry. */
  readonly onRetry?: (why: Error) => void;
}

/** The two stores of a copy. */
interface Ends {
  readonly source: Store;
  readonly target: Store;
  readonly place: PlaceEntry;
}

/**
 * Copies the entries of the source at one moment. If it is interrupted, call it
 * again: equal entries are not written again.
 */
export async function copyStore(
  source: Store,
  target: Store,
  copy: StoreCopy,
): Promise<CopyResult> {
  const { signal } = copy;
  const ends = { source, target, place: new PlaceEntry(target, copy.kinds) };
  const cursor = await newestCursor(source, signal);
  const result = await copyReads(source, cursor, ends, copy);
  await ends.place.remove(signal);
  return result;
}

/**
 * Copies the entries, then writes each change of the source into the target,
 * until the signal aborts. A second call continues after the last written
 * change.
 */
export async function followStore(
  source: Store,
  target: Store,
  follow: StoreFollow,
): Promise<void> {
  const { signal } = follow;
  const ends = { source, target, place: new PlaceEntry(target, follow.kinds) };
  let { extra } = follow;
  let copiesAgain = false;
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    try {
      const found = await ends.place.read(signal);
      const known = found?.state === "following" && !copiesAgain
        ? found.cursor
        : undefined;
      if (known !== undefined) await assertInLog(source, known, signal);
      const { cursor, copied } = known === undefined
        ? await copyNewest(ends, { ...follow, extra })
        : { cursor: known, copied: undefined };
      copiesAgain = false;
      await follow.onFollowing?.(copied);
      extra = follow.extra;
      await followChanges(source, target, ends.place, cursor, {
        ...follow,
        onChanges(count) {
          pause = FIRST_PAUSE;
          follow.onChanges?.(count);
        },
      });
    } catch (error) {
      if (signal.aborted) return;
      if (isGap(error)) {
        copiesAgain = true;
        extra = isOfSameHistory(error) ? "delete" : follow.extra;
        follow.onCopyAgain?.(error);
      } else if (isPassing(error)) {
        follow.onRetry?.(error);
        await elapsed(pause, signal);
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      } else throw error;
    }
  }
}

/** Copies the entries at the newest revision, and returns its cursor. */
async function copyNewest(
  ends: Ends,
  follow: StoreFollow,
): Promise<{ readonly cursor: SourceCursor; readonly copied: CopyResult }> {
  const { source, place } = ends;
  const { signal, onCopyAgain } = follow;
  for (let { extra } = follow;; extra = "delete") {
    await using reads = await source.snapshot({ signal });
    const cursor = await cursorAt(source, reads.revision, signal);
    let copied: CopyResult;
    try {
      copied = await copyReads(reads, cursor, ends, { ...follow, extra });
    } catch (error) {
      // Meanwhile, others have written so much that the log begins later.
      if (!isPruned(error)) throw error;
      onCopyAgain?.(error);
      continue;
    }
    if (copied.refused > 0) {
      throw new CannotCopyError(
        `Cannot follow: the target cannot hold ${copied.refused} entries; delete them in the source, or leave out their kinds`,
      );
    }
    await place.write({ state: "following", cursor }, signal);
    return { cursor, copied };
  }
}

/** Copies the entries of a read that is of the moment of a cursor. */
async function copyReads(
  reads: Reads,
  cursor: SourceCursor | undefined,
  { source, target, place }: Ends,
  copy: StoreCopy,
): Promise<CopyResult> {
  const { signal } = copy;
  const found = await place.read(signal);
  let { extra } = copy;
  if (extra === "refuse") {
    const goesOn = found?.state === "copying" && found.cursor !== undefined &&
      await isInLog(source, found.cursor, signal);
    if (!goesOn) await assertNoExtra(reads, target, copy);
    extra = goesOn ? "delete" : "keep";
  }
  await place.write({ state: "copying", cursor }, signal);
  return await copyEntries(reads, target, extra, copy);
}

async function assertNoExtra(
  reads: Reads,
  target: Store,
  copy: StoreCopy,
): Promise<void> {
  const extra = await findExtra(reads, target, copy);
  if (extra === undefined) return;
  throw new CannotCopyError(
    `Cannot copy: the target has ${
      quote(extra.kind, extra.key)
    }, and the source does not; give --mirror to delete such entries, or --merge to keep them`,
  );
}

/** The cursor of the newest revision; `undefined` if there is no change log. */
async function newestCursor(
  store: Store,
  signal: AbortSignal,
): Promise<SourceCursor | undefined> {
  try {
    await using reads = await store.snapshot({ signal });
    return await cursorAt(store, reads.revision, signal);
  } catch (error) {
    if (error instanceof StoreReadOnlyError) return undefined;
    throw error;
  }
}

function isPruned(error: unknown): error is RevisionUnavailableError {
  return error instanceof RevisionUnavailableError && error.reason === "pruned";
}

/** Whether the log does not have all changes. */
function isGap(error: unknown): error is WatchOverflowError | DivergedError {
  return error instanceof WatchOverflowError || error instanceof DivergedError;
}

/** Whether the source is the one that was copied, and was not put back to an earlier state. */
function isOfSameHistory(error: WatchOverflowError | DivergedError): boolean {
  return error instanceof DivergedError || error.reason === "pruned" ||
    error.reason === "broken";
}

/** Whether a retry may succeed later. */
function isPassing(error: unknown): error is Error {
  return error instanceof StoreUnavailableError ||
    error instanceof UnknownOutcomeError || error instanceof StoreBusyError;
}

async function elapsed(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
