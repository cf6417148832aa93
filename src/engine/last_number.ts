/**
 * The largest version and revision. Both are safe integers: past those
 * JavaScript has no exact number. A write that would go past them is refused,
 * because nobody could read it back.
 *
 * @module
 */
import { quote } from "../base/messages.ts";
import { StoreError } from "../contract/errors.ts";

/** The last version of an entry, and the last revision of a store. */
export const LAST_NUMBER = Number.MAX_SAFE_INTEGER;

/** The version of an entry after its next change; throws if there is none. */
export function nextVersion(
  kind: string,
  key: string,
  version: number,
): number {
  if (version < LAST_NUMBER) return version + 1;
  throw noVersionAfter(kind, key, version);
}

/** The error of a write of an entry whose version is the last one. */
export function noVersionAfter(
  kind: string,
  key: string,
  version: number = LAST_NUMBER,
): StoreError {
  return new StoreError(
    "STORAGE",
    `Cannot write ${
      quote(kind, key)
    }: its version is ${version}, the last one that there is; delete the entry, then write it again`,
  );
}
