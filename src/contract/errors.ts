/**
 * Every error that a store raises. Each carries a stable `code` to branch on,
 * a message that says what failed, for what, and what to do next, and the
 * `cause` where another error is behind it.
 *
 * A call with arguments of the wrong shape (a misspelt option, a negative
 * limit) is a mistake in the program, not a state of the store: it raises the
 * platform's own `TypeError` or `RangeError`.
 *
 * @module
 */
import { quote } from "../base/messages.ts";

/** The `code` of a {@linkcode StoreError}. */
export type StoreErrorCode =
  | "OPEN"
  | "CLOSED"
  | "BUSY"
  | "FULL"
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
  FULL: "StoreFullError",
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

/** The store could not be opened. No entry in its file was changed. */
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
    message = "Cannot use the store: it is closed",
    options?: ErrorOptions,
  ) {
    super("CLOSED", message, options);
  }
}

/** Another connection held the lock for longer than `busyTimeout`. Nothing was done. */
export class StoreBusyError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("BUSY", message, options);
  }
}

/** The disk, or the database's page limit, has no room left. Nothing was written. */
export class StoreFullError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("FULL", message, options);
  }
}

/** What is stored is damaged: SQLite found the file malformed, or a backup of it is not sound. */
export class StoreCorruptError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("CORRUPT", message, options);
  }
}

/** A write, or an opening or a watch that takes one first, where only reading is allowed. */
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
      }: there is no value, and no "initial" was given`,
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
      `The value of ${quote(kind, key)} is not valid: ${
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
 * The change log does not hold every change that the watch has yet to see: the
 * consumer fell behind by more than `history`, or resumed from a revision that
 * is not in the log. Read the kind again and start a new watch.
 */
export class WatchOverflowError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("WATCH_OVERFLOW", message, options);
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
