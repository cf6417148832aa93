/**
 * Converts stored entries to entries for callers.
 *
 * @module
 */
import { isPromise, type MaybePromise } from "../base/promises.ts";
import type { Entry } from "../contract/entry.ts";
import type { StoredEntry } from "../engine/entries.ts";
import type { Values } from "../values/values.ts";

/** The entry for a caller. It is a promise if the schema is asynchronous. */
export function entryOf<T>(
  values: Values,
  kind: string,
  stored: StoredEntry,
): MaybePromise<Entry<T>> {
  const value = values.readStored(kind, stored) as MaybePromise<T>;
  return isPromise(value)
    ? value.then((value) => withValue(stored, value))
    : withValue(stored, value);
}

function withValue<T>(
  { key, version, revision, updatedAt, expiresAt }: StoredEntry,
  value: T,
): Entry<T> {
  const entry: Entry<T> = { key, value, version, revision, updatedAt };
  if (expiresAt !== undefined) entry.expiresAt = new Date(expiresAt);
  return entry;
}
