/**
 * The class of all errors of a store, and their codes.
 *
 * @module
 */

/** The `code` of a {@linkcode StoreError}. */
export type StoreErrorCode =
  | "OPEN"
  | "CLOSED"
  | "BUSY"
  | "UNAVAILABLE"
  | "UNSUPPORTED"
  | "UNKNOWN_OUTCOME"
  | "FULL"
  | "TOO_LARGE"
  | "CORRUPT"
  | "READ_ONLY"
  | "INVALID_NAME"
  | "KEY_NOT_FOUND"
  | "VERSION_CONFLICT"
  | "VALIDATION"
  | "CODEC"
  | "WATCH_OVERFLOW"
  | "REVISION_UNAVAILABLE"
  | "IMPORT"
  | "STORAGE";

const NAMES: Record<StoreErrorCode, string> = {
  OPEN: "StoreOpenError",
  CLOSED: "StoreClosedError",
  BUSY: "StoreBusyError",
  UNAVAILABLE: "StoreUnavailableError",
  UNSUPPORTED: "StoreUnsupportedError",
  UNKNOWN_OUTCOME: "UnknownOutcomeError",
  FULL: "StoreFullError",
  TOO_LARGE: "StoreTooLargeError",
  CORRUPT: "StoreCorruptError",
  READ_ONLY: "StoreReadOnlyError",
  INVALID_NAME: "InvalidNameError",
  KEY_NOT_FOUND: "KeyNotFoundError",
  VERSION_CONFLICT: "VersionConflictError",
  VALIDATION: "ValidationError",
  CODEC: "CodecError",
  WATCH_OVERFLOW: "WatchOverflowError",
  REVISION_UNAVAILABLE: "RevisionUnavailableError",
  IMPORT: "ImportError",
  STORAGE: "StoreError",
};

/**
 * Every error of a store extends this class.
 *
 * @example
 * ```ts
 * import { openStore, StoreError } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * await using store = await openStore({ path: ":memory:" });
 * try {
 *   await store.set("users", "", "Alice");
 * } catch (error) {
 *   if (!(error instanceof StoreError)) throw error;
 *   assertEquals(error.code, "INVALID_NAME");
 * }
 * ```
 */
export class StoreError extends Error {
  /** The class's name, in minified code too. */
  override readonly name: string;
  /** A stable identifier of the kind of failure. */
  readonly code: StoreErrorCode;

  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = NAMES[code];
    this.code = code;
  }
}
