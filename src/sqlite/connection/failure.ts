/**
 * Converts SQLite's failures to errors of the store.
 *
 * @module
 */
import { utf8Length } from "../../base/bytes.ts";
import {
  StoreBusyError,
  StoreCorruptError,
  StoreError,
  StoreFullError,
  StoreReadOnlyError,
  StoreTooLargeError,
} from "../../contract/errors.ts";
import { SqlError, type SqlValue } from "../driver/driver.ts";

/** Whether a lock of another connection is in the way. */
export function isBusy(error: unknown): error is SqlError {
  return error instanceof SqlError && error.failure === "busy";
}

/** Whether there was no transaction to end, because SQLite had rolled it back by itself. */
export function isNoTransaction(error: unknown): boolean {
  return error instanceof SqlError &&
    error.message.includes("no transaction is active");
}

/** The usual limit with which SQLite is built, in bytes (https://sqlite.org/limits.html). */
export const LONGEST_ROW = 1_000_000_000;

/** Whether a row or a part of one is longer than SQLite allows. */
export function isTooBig(error: unknown): error is SqlError {
  return error instanceof SqlError && error.failure === "too_big";
}

/** A statement's failure. If something is too big, the error has the size of the largest parameter. */
export function withSize(
  error: unknown,
  params: readonly SqlValue[],
): unknown {
  if (!isTooBig(error)) return error;
  const largest = Math.max(0, ...params.map(bytesOf));
  return new SqlError(
    "too_big",
    `${error.message}: the largest parameter has ${largest} bytes`,
    { cause: error },
  );
}

function bytesOf(param: SqlValue): number {
  if (typeof param === "string") return utf8Length(param);
  return param instanceof Uint8Array ? param.byteLength : 0;
}

/** The store's error for an error of a driver. Other errors are returned unchanged. */
export function storeError(action: string, error: unknown): unknown {
  if (!(error instanceof SqlError)) return error;
  const because = `Cannot ${action}: ${error.message}`;
  const options = { cause: error };
  switch (error.failure) {
    case "busy":
      return new StoreBusyError(
        `${because}; retry, or open the store with a longer busyTimeout`,
        options,
      );
    case "full":
      return new StoreFullError(`${because}; free some space`, options);
    case "corrupt":
    case "not_a_database":
      return new StoreCorruptError(
        `${because}; restore the file from a backup`,
        options,
      );
    case "read_only":
      return new StoreReadOnlyError(
        `${because}; if it was opened with mode=ro, open it with mode=rwc; else check that its file and directory are writable`,
        options,
      );
    case "too_big":
      return new StoreTooLargeError(
        `${because}, and SQLite's limit is ${LONGEST_ROW} bytes; use a shorter kind or key, or split the value`,
        options,
      );
    case "io":
      // SQLite reports this when shared memory cannot grow on a full disk.
      return new StoreError(
        "STORAGE",
        `${because}; check that the disk works and has free space`,
        options,
      );
    default:
      return new StoreError("STORAGE", because, options);
  }
}
