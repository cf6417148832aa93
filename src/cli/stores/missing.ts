/**
 * The reason why a store cannot be opened: its file is missing, or the file or
 * the database contains no store.
 *
 * @module
 */
import { StoreOpenError } from "../../contract/errors.ts";

/** There is no file at the path. */
export class FileMissingError extends StoreOpenError {
  /** Makes the error for a path. */
  constructor(path: string) {
    super(
      `Cannot open store at ${path}: there is no such file; check the path, or create the file with "zestor set"`,
    );
  }
}

/** The missing part; `undefined` if the opening failed for another reason. */
export function whatIsMissing(error: unknown): "file" | "store" | undefined {
  if (error instanceof FileMissingError) return "file";
  return error instanceof StoreOpenError &&
      error.message.includes("contains no store")
    ? "store"
    : undefined;
}
