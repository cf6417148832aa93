/**
 * Errors that opening a store, or any operation, may raise.
 *
 * @module
 */
import { StoreError } from "./store_error.ts";

/**
 * The store could not be opened. No entry was changed.
 *
 * @example
 * ```ts
 * import { openStore, StoreOpenError } from "@zestor/store";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(
 *   () => openStore({ path: "file:missing.db?mode=rw" }),
 *   StoreOpenError,
 * );
 * ```
 */
export class StoreOpenError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("OPEN", message, options);
  }
}

/**
 * The operation was called on a store that is closed or closing.
 *
 * @example
 * ```ts
 * import { openStore, StoreClosedError } from "@zestor/store";
 * import { assertRejects } from "@std/assert";
 *
 * const store = await openStore({ path: ":memory:" });
 * await store.close();
 * await assertRejects(() => store.keys("users"), StoreClosedError);
 * ```
 */
export class StoreClosedError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(
    message = "Cannot use the store: it is closed; open it again",
    options?: ErrorOptions,
  ) {
    super("CLOSED", message, options);
  }
}

/**
 * Another connection held a lock for longer than the store waits. Nothing was
 * done. Call the operation again.
 *
 * @example
 * ```ts
 * import { StoreBusyError } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * function statusOf(error: unknown): number {
 *   return error instanceof StoreBusyError ? 503 : 500;
 * }
 * assertEquals(statusOf(new StoreBusyError("Cannot set: the file is locked")), 503);
 * ```
 */
export class StoreBusyError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("BUSY", message, options);
  }
}

/**
 * The server that keeps the store cannot be reached. Nothing was written. Call
 * the operation again when the server can be reached.
 *
 * If the connection fails after a write was sent, the error is
 * {@linkcode UnknownOutcomeError}. A store in a file or in memory has no server,
 * so it never throws this error.
 *
 * @example
 * ```ts
 * import { StoreUnavailableError } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * function statusOf(error: unknown): number {
 *   return error instanceof StoreUnavailableError ? 503 : 500;
 * }
 * assertEquals(statusOf(new StoreUnavailableError("Cannot set: the server is down")), 503);
 * ```
 */
export class StoreUnavailableError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("UNAVAILABLE", message, options);
  }
}

/**
 * The storage cannot do this at all, for example a server that cannot verify
 * what it holds. A store in a file or in memory can do everything.
 *
 * @example
 * ```ts
 * import { openStore, StoreUnsupportedError } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * await using store = await openStore({ path: ":memory:" });
 * async function isSound(): Promise<boolean | "unknown"> {
 *   try {
 *     return (await store.verify()).length === 0;
 *   } catch (error) {
 *     if (error instanceof StoreUnsupportedError) return "unknown";
 *     throw error;
 *   }
 * }
 * assertEquals(await isSound(), true);
 * ```
 */
export class StoreUnsupportedError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("UNSUPPORTED", message, options);
  }
}

/**
 * The store has no room left. Nothing was written. Free some space, then call
 * the operation again.
 *
 * @example
 * ```ts
 * import { StoreFullError } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * function statusOf(error: unknown): number {
 *   return error instanceof StoreFullError ? 507 : 500;
 * }
 * assertEquals(statusOf(new StoreFullError("Cannot set: the disk is full")), 507);
 * ```
 */
export class StoreFullError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("FULL", message, options);
  }
}

/**
 * The stored data is damaged, or a copy of it is not sound.
 *
 * @example
 * ```ts
 * import { StoreCorruptError } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * function adviceOn(error: unknown): string {
 *   return error instanceof StoreCorruptError ? "restore a backup" : "retry";
 * }
 * const error = new StoreCorruptError("Cannot read: the file is malformed");
 * assertEquals(adviceOn(error), "restore a backup");
 * ```
 */
export class StoreCorruptError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("CORRUPT", message, options);
  }
}

/**
 * The store was opened only to read, but the operation, the opening or the watch
 * has to write.
 *
 * @example
 * ```ts
 * import { StoreReadOnlyError } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * function statusOf(error: unknown): number {
 *   return error instanceof StoreReadOnlyError ? 403 : 500;
 * }
 * assertEquals(statusOf(new StoreReadOnlyError("Cannot set: the store is read-only")), 403);
 * ```
 */
export class StoreReadOnlyError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("READ_ONLY", message, options);
  }
}

/**
 * A kind or a key is empty, contains a NUL, or is not well-formed Unicode.
 *
 * @example
 * ```ts
 * import { openStore, InvalidNameError } from "@zestor/store";
 * import { assertRejects } from "@std/assert";
 *
 * await using store = await openStore({ path: ":memory:" });
 * await assertRejects(() => store.get("users", ""), InvalidNameError);
 * ```
 */
export class InvalidNameError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("INVALID_NAME", message, options);
  }
}
