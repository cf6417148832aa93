/**
 * Cursors of a source: the place to continue in its change log, and a check
 * that a cursor belongs to its history.
 *
 * @module
 */
import { StoreClosedError, WatchOverflowError } from "../../contract/errors.ts";
import type { Store } from "../../contract/store.ts";
import type { WatchBookmark, WatchEvent } from "../../contract/watch.ts";
import type { SourceCursor } from "./place.ts";

/** The cursor of a store's revision, or the revision itself if the log no longer has it. */
export async function cursorAt(
  store: Store,
  revision: number,
  signal: AbortSignal,
): Promise<SourceCursor> {
  // If nobody has written since, the first item is the bookmark of the
  // revision. Else its change is the first item after the previous revision.
  for (const after of [revision, revision - 1]) {
    if (after < 0) continue;
    const item = await unlessOverflown(firstAfter(store, after, signal));
    if (item?.revision === revision) return item.cursor;
  }
  return revision;
}

/** Rejects with `WatchOverflowError` unless the log of a store still has the change of a cursor. */
export async function assertInLog(
  store: Store,
  cursor: SourceCursor,
  signal: AbortSignal,
): Promise<void> {
  await firstAfter(store, cursor, signal);
}

/** Whether the log of a store still has the change of a cursor. */
export async function isInLog(
  store: Store,
  cursor: SourceCursor,
  signal: AbortSignal,
): Promise<boolean> {
  const item = await unlessOverflown(firstAfter(store, cursor, signal));
  return item !== undefined;
}

async function unlessOverflown<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof WatchOverflowError) return undefined;
    throw error;
  }
}

async function firstAfter(
  store: Store,
  after: SourceCursor,
  signal: AbortSignal,
): Promise<WatchEvent | WatchBookmark> {
  const onUnreadable = () => {};
  const options = { after, bookmarks: true, onUnreadable, signal } as const;
  for await (const item of store.watchAll(options)) return item;
  signal.throwIfAborted();
  throw new StoreClosedError();
}
