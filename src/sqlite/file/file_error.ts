/**
 * Converts errors of the file system to errors of the store.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { StoreError, StoreFullError } from "../../contract/errors.ts";

/** The store's error for an error of the file system. The store's own errors are returned unchanged. */
export function fileError(action: string, error: unknown): unknown {
  if (error instanceof StoreError) return error;
  const because = `Cannot ${action}: ${reasonOf(error)}`;
  const options = { cause: error };
  const { code } = error as { code?: unknown };
  return code === "ENOSPC" || code === "EDQUOT"
    ? new StoreFullError(`${because}; free some space`, options)
    : new StoreError(
      "STORAGE",
      `${because}; check that its directory exists, and is readable and writable`,
      options,
    );
}
