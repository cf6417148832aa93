/**
 * Every error that a store raises. Each carries a stable `code` to branch on,
 * a message, and the `cause` if another error is behind it. All messages have
 * one shape: `Cannot <do what> <to what>: <why>; <what to do>`.
 *
 * If a call's arguments have the wrong shape (a misspelt option, a negative
 * limit), the program has a mistake, and the store's state does not matter. The
 * call raises the platform's own `TypeError` or `RangeError`.
 *
 * @module
 */
import { quote } from "../base/messages.ts";

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
  IMPORT: "ImportError",
  STORAGE: "StoreError",
};

/** What every error of a store extends. */
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

// Opening.

/** The store could not be opened. No entry was changed. */
export class StoreOpenError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("OPEN", message, options);
  }
}

// Any operation.

/** The operation was called on a store that is closed or closing. */
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
 * Others kept the operation waiting for a lock for longer than the store waits.
 * Nothing was done. Call it again.
 */
export class StoreBusyError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("BUSY", message, options);
  }
}

/**
 * The server that keeps the store cannot be reached. Nothing was written. Call
 * the operation again, when the server can be reached.
 *
 * If the connection fails after a write was sent, the error is
 * {@linkcode UnknownOutcomeError}. A store in a file or in memory has no
 * server, so it never throws this error.
 */
export class StoreUnavailableError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("UNAVAILABLE", message, options);
  }
}

/**
 * What keeps the store cannot do this at all, such as a server that has no
 * audit. Stores in a file or in memory can do everything.
 */
export class StoreUnsupportedError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("UNSUPPORTED", message, options);
  }
}

/** The store has no room left. Nothing was written. Free some space, then write it again. */
export class StoreFullError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("FULL", message, options);
  }
}

/** What is stored is damaged, or a copy of it is not sound. */
export class StoreCorruptError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("CORRUPT", message, options);
  }
}

/** The store may only be read, and the operation, the opening or the watch has to write. */
export class StoreReadOnlyError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("READ_ONLY", message, options);
  }
}

/** A kind or a key is empty, holds a NUL, or is not well-formed Unicode. */
export class InvalidNameError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("INVALID_NAME", message, options);
  }
}

// Writes.

/**
 * The store sent a write's commit, and got no answer that tells whether it took
 * effect. The store does not retry such a write by itself, because it could
 * then take effect twice. Read what it was to change, then decide.
 */
export class UnknownOutcomeError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("UNKNOWN_OUTCOME", message, options);
  }
}

/**
 * A kind, a key, a value, or the number of changes in one write is larger than
 * the store can hold. The message tells the size and the limit. Nothing of the
 * call was written. To call it again does not help: make it smaller.
 */
export class StoreTooLargeError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("TOO_LARGE", message, options);
  }
}

/** `update` found no value and was given no `initial`. */
export class KeyNotFoundError extends StoreError {
  /** The kind looked in. */
  readonly kind: string;
  /** The key that is not there. */
  readonly key: string;

  /** Makes the error for a kind and a key. */
  constructor(kind: string, key: string, options?: ErrorOptions) {
    super(
      "KEY_NOT_FOUND",
      `Cannot update ${
        quote(kind, key)
      }: there is no value; set one first, or give "initial"`,
      options,
    );
    this.kind = kind;
    this.key = key;
  }
}

/** An entry's version was not the one that the write asked for. Nothing was written. */
export class VersionConflictError extends StoreError {
  /** The entry's kind. */
  readonly kind: string;
  /** The entry's key. */
  readonly key: string;
  /** The version asked for; 0 for "must not exist". */
  readonly expected: number;
  /** The version found; 0 where the key does not exist. */
  readonly actual: number;

  /** Makes the error for a kind, a key, and the two versions. */
  constructor(
    kind: string,
    key: string,
    expected: number,
    actual: number,
    options?: ErrorOptions,
  ) {
    super(
      "VERSION_CONFLICT",
      `Cannot write ${quote(kind, key)}: expected ${
        describeVersion(expected)
      }, found ${describeVersion(actual)}; read the entry again and retry`,
      options,
    );
    this.kind = kind;
    this.key = key;
    this.expected = expected;
    this.actual = actual;
  }
}

/** One thing that a schema found wrong with a value. */
export interface ValidationIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where in the value: property names and indexes, outermost first. */
  readonly path?: ReadonlyArray<PropertyKey>;
}

/** A value was refused by its kind's schema. Nothing of the call was written. */
export class ValidationError extends StoreError {
  /** The kind of the value. */
  readonly kind: string;
  /** The key of the value. */
  readonly key: string;
  /** Everything that the schema found wrong. */
  readonly issues: ReadonlyArray<ValidationIssue>;

  /** Makes the error from a schema's issues. */
  constructor(
    kind: string,
    key: string,
    issues: ReadonlyArray<ValidationIssue>,
    options?: ErrorOptions,
  ) {
    super(
      "VALIDATION",
      `Cannot accept the value of ${quote(kind, key)}: ${
        issues.map(describeIssue).join("; ")
      }`,
      options,
    );
    this.kind = kind;
    this.key = key;
    this.issues = issues;
  }
}

/** A value cannot be encoded, or stored bytes cannot be decoded, by the kind's codec. */
export class CodecError extends StoreError {
  /** Makes the error; `options.cause` is what the codec raised. */
  constructor(message: string, options?: ErrorOptions) {
    super("CODEC", message, options);
  }
}

// Watching.

/**
 * Why a watch may not tell every change:
 *
 * - `"pruned"`: the change log no longer holds every change that the watch has
 *   yet to see. The consumer fell behind by more than `history`, or resumed
 *   from a revision that is too old.
 * - `"ahead"`: the store has not reached the revision to resume from. That
 *   revision is another store's, or of a state that was replaced, such as by
 *   a backup.
 * - `"broken"`: somebody changed the change log, or what writes it. Changes may
 *   be missing from it.
 */
export type WatchOverflowReason = "pruned" | "ahead" | "broken";

/**
 * The watch may not tell every change that it has yet to see. Its `reason`
 * tells why. Read the kind again and start a new watch.
 */
export class WatchOverflowError extends StoreError {
  /** Why changes may be missing. */
  readonly reason: WatchOverflowReason;

  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(
    reason: WatchOverflowReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super("WATCH_OVERFLOW", message, options);
    this.reason = reason;
  }
}

// Importing.

/**
 * A line cannot be imported. If `onRefused` is given, this is a stream of too
 * many lines that are no entries, and what came before them was written. If it
 * is not, nothing of the line's transaction was written; those before it stay.
 */
export class ImportError extends StoreError {
  /** The line's number, from 1. */
  readonly line: number;

  /** Makes the error for a line; `options.cause` is the error behind it. */
  constructor(line: number, reason: string, options?: ErrorOptions) {
    super("IMPORT", `Cannot import line ${line}: ${reason}`, options);
    this.line = line;
  }
}

function describeVersion(version: number): string {
  return version === 0 ? "no entry" : `version ${version}`;
}

function describeIssue({ message, path = [] }: ValidationIssue): string {
  const where = path.map(String).join(".");
  return where === "" ? message : `${where}: ${message}`;
}
