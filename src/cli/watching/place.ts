/**
 * The place at which a watch goes on, and how it is kept.
 *
 * @module
 */
import type { WatchBookmark, WatchEvent } from "../../contract/watch.ts";
import type { CursorFile, Place } from "./cursor_file.ts";

/** What a watch tells. */
export type Item = WatchEvent | WatchBookmark;

/** The place after an item; `undefined` in the middle of a replay, where there is none. */
export function placeAfter(
  { type, revision, cursor }: Item,
): Place | undefined {
  return type === "bookmark" || revision > 0 ? cursor : undefined;
}

/** Keeps a place in the cursor's file, if there are both. */
export function keepPlace(
  cursor: CursorFile | undefined,
  place: Place | undefined,
): void {
  if (cursor === undefined || place === undefined) return;
  cursor.prepare(place);
  cursor.keep();
}
