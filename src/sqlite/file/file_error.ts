/**
 * What the file system's refusals mean to the caller of an operation.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { StoreError, StoreFullError } from "../../contract/errors.ts";

/** The store's error for what the file system refused; the store's own as they are. */
export function fileError(action: string, error: unknown): unknown {
  if (error instanceof StoreError) return error;
  const because = `Cannot ${action}: ${reasonOf(error)}`;
  const options = { cause: error };
  const { code } = error as { code?: unknown };
  return code === "ENOSPC" || code === "EDQUOT"
    ? new StoreFullError(`${because}; free some space`, options)
    : new StoreError(
      "STORAGE",
      `${because}; see that its directory is there, and can be read and written`,
      options,
    );
}
