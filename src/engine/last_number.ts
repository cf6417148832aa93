/**
 * The largest version and revision. Both are safe integers, because JavaScript
 * cannot express larger integers exactly. A write beyond them is refused,
 * because nobody could read it back.
 *
 * @module
 */
import { quote } from "../base/messages.ts";
import { StoreError } from "../contract/errors.ts";

/** The largest version of an entry, and the largest revision of a store. */
export const LAST_NUMBER = Number.MAX_SAFE_INTEGER;

/**
 * The version of an entry after its next change. Throws if the version is the
 * largest one.
 */
export function nextVersion(
  kind: string,
  key: string,
  version: number,
): number {
  if (version < LAST_NUMBER) return version + 1;
  throw noVersionAfter(kind, key, version);
}

/** The error of a write to an entry that has the largest version. */
export function noVersionAfter(
  kind: string,
  key: string,
  version: number = LAST_NUMBER,
): StoreError {
  return new StoreError(
    "STORAGE",
    `Cannot write ${
      quote(kind, key)
    }: its version is ${version}, which is the largest possible; delete the entry, then write it again`,
  );
}
