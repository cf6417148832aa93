/**
 * A change in short, as tests and peers write it down.
 *
 * @module
 */
import type { WatchBookmark, WatchEvent } from "../../../src/contract/watch.ts";

/** A change without its revision: `"update users/alice@2 {"n":1}"`. */
export function told(
  event: Pick<WatchEvent, "type" | "kind" | "key" | "version">,
  value: string,
): string {
  return `${event.type} ${event.kind}/${event.key}@${event.version} ${value}`;
}

/** What a watch emitted, the revision first: `"7 update …"`, `"7 bookmark"`. */
export function toldWithRevision(item: WatchEvent | WatchBookmark): string {
  const { revision } = item;
  return item.type === "bookmark"
    ? `${revision} bookmark`
    : `${revision} ${told(item, JSON.stringify(item.value))}`;
}
