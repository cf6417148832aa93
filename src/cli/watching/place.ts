/**
 * The place at which a watch continues, and how it is saved.
 *
 * @module
 */
import type { WatchBookmark, WatchEvent } from "../../contract/watch.ts";
import type { CursorFile, Place } from "./cursor_file.ts";

/** An item of a watch. */
export type Item = WatchEvent | WatchBookmark;

/** The place after an item; `undefined` in the middle of a replay, which has no places. */
export function placeAfter(
  { type, revision, cursor }: Item,
): Place | undefined {
  return type === "bookmark" || revision > 0 ? cursor : undefined;
}

/** Saves a place in the cursor file, if there are both. */
export function keepPlace(
  cursor: CursorFile | undefined,
  place: Place | undefined,
): void {
  if (cursor === undefined || place === undefined) return;
  cursor.prepare(place);
  cursor.keep();
}
