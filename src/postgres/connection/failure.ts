/**
 * What a failure of the server or of the network means.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import {
  StoreBusyError,
  StoreError,
  StoreFullError,
  StoreReadOnlyError,
  StoreTooLargeError,
  StoreUnavailableError,
} from "../../contract/errors.ts";

/** The connection was cut, or none could be had. */
export class Cut extends Error {
  /** Whether what was sent may have arrived. */
  readonly mayHaveArrived: boolean;

  /** Takes what was thrown, if anything was. */
  constructor(mayHaveArrived: boolean, cause?: unknown) {
    super(
      cause === undefined
        ? "the connection to the server was cut"
        : reasonOf(cause) || "the server cannot be reached",
      { cause },
    );
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** The code of an error that the server sent, as in https://www.postgresql.org/docs/current/errcodes-appendix.html. */
export function codeOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as {
    code?: unknown;
    severity?: unknown;
  };
  return typeof code === "string" && severity !== undefined ? code : undefined;
}

/** Codes after which the connection is gone, or was not made, though the server may be there soon. */
const CUT_CODES = new Set([
  "57P01", // It is shut down, or somebody ended the connection.
  "57P02", // Another of its processes crashed.
  "57P03", // It starts, or stops.
  "57P05", // The connection was idle for too long.
  "25P03", // A transaction was idle for too long.
  "53300", // It has no more connections.
]);

/** Whether an error is of the network, or says that the server goes away. */
export function isCut(error: unknown): boolean {
  if (error instanceof Cut) return true;
  const code = codeOf(error);
  if (code === undefined) return error instanceof Error && !isOwnMistake(error);
  return CUT_CODES.has(code) || code.startsWith("08");
}

const OWN_MISTAKES = [
  ...[TypeError, RangeError, ReferenceError, SyntaxError, URIError],
  StoreError,
];

/** What the client says of its configuration, or of what it was given. */
function isOwnMistake(error: Error): boolean {
  return OWN_MISTAKES.some((type) => error instanceof type) ||
    error.name === "NotCapable" ||
    /certificate|SSL|password must be|SASL|authentication/i.test(error.message);
}

/** Codes of failures that go away by themselves, after which nothing was written. */
const BUSY_CODES = new Set([
  "55P03", // lock_timeout
  "40001", // a serialization failure
  "40P01", // a deadlock
]);

/** Whether somebody else was in the way, and nothing was written. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && BUSY_CODES.has(code);
}

/**
 * The server does not know a prepared statement by its name, or knows another
 * one, as behind a pooler. Nothing was done.
 */
export class NameLost extends Error {
  /** Takes what the server says. */
  constructor(cause: unknown) {
    super(reasonOf(cause), { cause });
  }
}

/** Whether the server says that a statement's name is not known to it, or was taken. */
export function isNameLost(error: unknown): boolean {
  const code = codeOf(error);
  return code === "26000" || code === "42P05" || code === "0A000" &&
      /cached plan/.test(reasonOf(error));
}

/** What a caller is told of the server's error; errors that are not the server's as they are. */
export function storeErrorOf(action: string, error: unknown): unknown {
  if (error instanceof Cut) return unavailable(action, error);
  const code = codeOf(error);
  if (code === undefined) return error;
  const options = { cause: error };
  const say = (reason: string) => `Cannot ${action}: ${reason}`;
  const reason = reasonOf(error);
  switch (code) {
    case "55P03":
      return new StoreBusyError(
        say(
          "another connection writes, and holds the store's lock; call it again",
        ),
        options,
      );
    case "40001":
    case "40P01":
      return new StoreBusyError(
        say(`others were in the way (${reason}); call it again`),
        options,
      );
    case "25006":
      return new StoreReadOnlyError(
        say("the server only reads, as a standby does; write to the primary"),
        options,
      );
    case "42501":
      return new StoreReadOnlyError(
        say(`the role lacks a right (${reason}); grant it`),
        options,
      );
    case "53100":
      return new StoreFullError(say(`the server's disk is full`), options);
    case "54000":
      return new StoreTooLargeError(say(reason), options);
    case "57014":
      return new StoreError(
        "STORAGE",
        say(
          `the server ended the statement (${reason}); a statement_timeout of the role or database must leave room for it`,
        ),
        options,
      );
    case "42P01":
    case "42883":
    case "3F000":
      return new StoreError(
        "STORAGE",
        say(
          `the store's tables are gone or changed (${reason}); open it again`,
        ),
        options,
      );
  }
  return new StoreError("STORAGE", say(reason), options);
}

/** What a caller is told if the server could not be reached in time. Nothing was written. */
export function unavailable(
  action: string,
  cause: unknown,
): StoreUnavailableError {
  return new StoreUnavailableError(
    `Cannot ${action}: ${
      reasonOf(cause)
    }; try again when the server can be reached`,
    { cause },
  );
}
