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

/** What an entry had to be: its version, its revision, or whether it exists. */
export type EntryCondition =
  | { readonly version: number }
  | { readonly revision: number }
  | { readonly exists: boolean };

/** What a write found in place of what it asked for. */
export interface FoundEntryState {
  /** The entry's version. */
  readonly version: number;
  /** The revision of its last change. */
  readonly revision: number;
}

/** An entry was not as the write asked for. Nothing was written. */
export class VersionConflictError extends StoreError {
  /** The entry's kind. */
  readonly kind: string;
  /** The entry's key. */
  readonly key: string;
  /** What the condition was on. */
  readonly condition: "version" | "revision" | "exists";
  /** The version or revision asked for, 0 for "must not exist"; or whether it had to exist. */
  readonly expected: number | boolean;
  /** The version or revision found, 0 if the key does not exist; or whether it exists. */
  readonly actual: number | boolean;
  /** The version and revision found; absent if the key does not exist. */
  readonly found?: FoundEntryState;

  /** Makes the error for a kind, a key, what was expected, and what was found. */
  constructor(
    kind: string,
    key: string,
    expected: EntryCondition,
    found: FoundEntryState | undefined,
    options?: ErrorOptions,
  ) {
    const [condition, value, actual] = compared(expected, found);
    super(
      "VERSION_CONFLICT",
      `Cannot write ${quote(kind, key)}: expected ${
        describeState(condition, value)
      }, found ${
        describeState(condition, actual)
      }; read the entry again and retry`,
      options,
    );
    this.kind = kind;
    this.key = key;
    this.condition = condition;
    this.expected = value;
    this.actual = actual;
    if (found) this.found = found;
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

/** Which entry a {@linkcode CodecError} is of. */
export interface CodecErrorOptions extends ErrorOptions {
  /** The entry's kind. */
  kind?: string;
  /** The entry's key. */
  key?: string;
  /** The revision of the change whose value it is. */
  revision?: number;
}

/** A value cannot be encoded, or stored bytes cannot be decoded, by the kind's codec. */
export class CodecError extends StoreError {
  /** The entry's kind, if the error is of an entry. */
  readonly kind?: string;
  /** The entry's key, if the error is of an entry. */
  readonly key?: string;
  /** The revision of the change whose value cannot be read, if that is known. */
  readonly revision?: number;

  /** Makes the error; `options.cause` is what the codec raised. */
  constructor(message: string, options?: CodecErrorOptions) {
    super("CODEC", message, options);
    this.kind = options?.kind;
    this.key = options?.key;
    this.revision = options?.revision;
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
 * - `"history"`: the change that the cursor names is not the one that the store
 *   has there. The cursor is another store's, or the store was put back to an
 *   earlier state, or lost its last changes with the power.
 * - `"broken"`: somebody changed the change log, or what writes it. Changes may
 *   be missing from it.
 */
export type WatchOverflowReason = "pruned" | "ahead" | "history" | "broken";

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

// The past.

/**
 * Why a past revision cannot be read:
 *
 * - `"pruned"`: the change log no longer reaches it.
 * - `"ahead"`: the store has not reached it.
 * - `"history"`: the change that the cursor names is not the one that the store
 *   has there.
 * - `"broken"`: somebody changed the change log, or what writes it.
 */
export type RevisionUnavailableReason = WatchOverflowReason;

/** The change log does not hold what is needed to read a past revision. */
export class RevisionUnavailableError extends StoreError {
  /** Why it cannot be read. */
  readonly reason: RevisionUnavailableReason;

  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(
    reason: RevisionUnavailableReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super("REVISION_UNAVAILABLE", message, options);
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

type Compared = [
  condition: VersionConflictError["condition"],
  expected: number | boolean,
  actual: number | boolean,
];

function compared(
  expected: EntryCondition,
  found: FoundEntryState | undefined,
): Compared {
  if ("version" in expected) {
    return ["version", expected.version, found?.version ?? 0];
  }
  return "revision" in expected
    ? ["revision", expected.revision, found?.revision ?? 0]
    : ["exists", expected.exists, found !== undefined];
}

function describeState(condition: string, state: number | boolean): string {
  if (!state) return "no entry";
  return state === true ? "an entry" : `${condition} ${state}`;
}

function describeIssue({ message, path = [] }: ValidationIssue): string {
  const where = path.map(String).join(".");
  return where === "" ? message : `${where}: ${message}`;
}
