/**
 * All that a store holds and remembers, read by the store itself, if its log
 * reaches back to the beginning.
 *
 * @module
 */
import type { Store } from "../../mod.ts";
import type { RawEntry, RawFile } from "./raw_file.ts";
import { type Change, type Item, toItem } from "./watches/watch_validators.ts";

/** Reads the whole log, and the entries as of its end. */
export async function readWholeStore(
  store: Store<Record<string, unknown>>,
): Promise<RawFile> {
  const items: Item[] = [];
  for await (const item of store.watchAll({ after: 0, bookmarks: true })) {
    items.push(toItem(item));
    if (item.type === "bookmark") break;
  }
  const { revision: head } = items.at(-1)!;
  const changes = items.flatMap((item): Change[] => {
    if (item.type === "bookmark") return [];
    const { revision, kind, key, type, version, value } = item;
    return [{ revision, kind, key, type, version, value }];
  });
  await using past = await store.snapshot({ at: head });
  const entries: RawEntry[] = [];
  for (const kind of await past.kinds()) {
    for await (const { key, version, value } of past.entries(kind)) {
      entries.push({ kind, key, version, value: JSON.stringify(value) });
    }
  }
  return { head, changes, entries };
}
