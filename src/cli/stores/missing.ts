/**
 * What is missing if a store cannot be opened: its file, or a store in the file
 * or the database.
 *
 * @module
 */
import { StoreOpenError } from "../../contract/errors.ts";

/** There is no file at the path. */
export class FileMissingError extends StoreOpenError {
  /** Makes the error for a path. */
  constructor(path: string) {
    super(
      `Cannot open store at ${path}: there is no such file; see that the path is right, or make it with "zestor set"`,
    );
  }
}

/** What an opening failed for; `undefined` if that is something else. */
export function whatIsMissing(error: unknown): "file" | "store" | undefined {
  if (error instanceof FileMissingError) return "file";
  return error instanceof StoreOpenError &&
      error.message.includes("holds no store")
    ? "store"
    : undefined;
}
