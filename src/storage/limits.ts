/**
 * Where the numbers end that a store gives: a version and a revision are safe
 * integers, since JavaScript has no exact number past those. What would go
 * past them is not written, for nobody could read it back.
 *
 * @module
 */
import { quote, StoreError } from "../errors.ts";

/** The last version of an entry, and the last revision of a store. */
export const LAST_NUMBER = Number.MAX_SAFE_INTEGER;

/** The version of an entry after its next change; throws if there is none. */
export function nextVersion(
  kind: string,
  key: string,
  version: number,
): number {
  if (version < LAST_NUMBER) return version + 1;
  throw new StoreError(
    "STORAGE",
    `Cannot write ${
      quote(kind, key)
    }: its version is ${version}, the last one that there is; delete the entry, then write it again`,
  );
}
