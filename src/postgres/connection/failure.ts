/**
 * The meanings of failures of the server and the network.
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

/** The connection was cut, or could not be made. */
export class Cut extends Error {
  /** Whether the request may have arrived. */
  readonly mayHaveArrived: boolean;

  /** Takes the error that was thrown, if there was one. */
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

/**
 * The code of an error of the server; see
 * https://www.postgresql.org/docs/current/errcodes-appendix.html.
 */
export function codeOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as {
    code?: unknown;
    severity?: unknown;
  };
  return typeof code === "string" && severity !== undefined ? code : undefined;
}

/** Codes after which there is no connection, although the server may be back soon. */
const CUT_CODES = new Set([
  "57P01", // The server shuts down, or somebody ended the connection.
  "57P02", // Another process of the server crashed.
  "57P03", // The server starts or stops.
  "57P05", // The connection was idle for too long.
  "25P03", // A transaction was idle for too long.
  "53300", // The server has no free connection.
]);

/** Whether an error comes from the network, or says that the server goes away. */
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

/** Whether the client complains about its configuration or its arguments. */
function isOwnMistake(error: Error): boolean {
  return OWN_MISTAKES.some((type) => error instanceof type) ||
    error.name === "NotCapable" ||
    /certificate|SSL|password must be|SASL|authentication/i.test(error.message);
}

/** Codes of temporary failures, after which nothing was written. */
const BUSY_CODES = new Set([
  "55P03", // lock_timeout
  "40001", // a serialization failure
  "40P01", // a deadlock
]);

/** Whether another transaction was in the way, and nothing was written. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && BUSY_CODES.has(code);
}

/**
 * The server does not know a prepared statement by this name, or knows another
 * one, for example behind a pooler. Nothing was done.
 */
export class NameLost extends Error {
  /** Takes the server's error. */
  constructor(cause: unknown) {
    super(reasonOf(cause), { cause });
  }
}

/** Whether the server says that a statement's name is unknown, or taken. */
export function isNameLost(error: unknown): boolean {
  const code = codeOf(error);
  return code === "26000" || code === "42P05" || code === "0A000" &&
      /cached plan/.test(reasonOf(error));
}

/** The store's error for an error of the server. Other errors are returned unchanged. */
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
          "another connection holds the store's lock to write; call the operation again",
        ),
        options,
      );
    case "40001":
    case "40P01":
      return new StoreBusyError(
        say(
          `it conflicted with other transactions (${reason}); call the operation again`,
        ),
        options,
      );
    case "25006":
      return new StoreReadOnlyError(
        say("the server is read-only, as a standby is; write to the primary"),
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
          `the store's tables were removed or changed (${reason}); open the store again`,
        ),
        options,
      );
  }
  return new StoreError("STORAGE", say(reason), options);
}

/** The error if the server could not be reached in time. Nothing was written. */
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
