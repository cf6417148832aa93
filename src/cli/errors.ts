/**
 * The failures of a command: exit codes, and messages in one line.
 *
 * @module
 */
import { CannotCopyError, TargetConflictError } from "./copying/errors.ts";
import { quote, quoteText, reasonOf } from "../base/messages.ts";
import {
  ImportError,
  InvalidNameError,
  KeyNotFoundError,
  StoreTooLargeError,
  ValidationError,
  VersionConflictError,
} from "../contract/errors.ts";
import { escapeText } from "../base/escape.ts";

/** The exit codes of the command. */
export const EXIT = {
  done: 0,
  /** There is no such entry, or it has another version than the option says. */
  notFound: 1,
  /** The command line or the value is invalid. */
  usage: 2,
  /** The store failed, or is not sound. */
  failure: 3,
} as const;

/** The command was used wrongly. Nothing was done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** There is no such entry. */
export class EntryNotFoundError extends Error {
  override readonly name = "EntryNotFoundError";

  /** Makes the error. `action` is such as "read". */
  constructor(action: string, kind: string, key: string) {
    super(`Cannot ${action} ${quote(kind, key)}: there is no such entry`);
  }
}

/** A kind has no entries. */
export class EntriesNotFoundError extends Error {
  override readonly name = "EntriesNotFoundError";

  /** Makes the error. `action` is such as "copy". */
  constructor(action: string, kind: string) {
    super(`Cannot ${action} ${quoteText(kind)}: the kind has no entries`);
  }
}

/** Somebody else has written meanwhile. */
export class ConflictError extends Error {
  override readonly name = "ConflictError";
}

/** The edited text could not be written. It is in a file. */
export class KeptTextError extends Error {
  override readonly name = "KeptTextError";
  override readonly cause: unknown;

  /** Makes the error from the cause, and the path of the text. */
  constructor(cause: unknown, path: string) {
    super(`${reasonOf(cause)}; the edited text is in ${path}`);
    this.cause = cause;
  }
}

const USAGE_ERRORS = [
  UsageError,
  CannotCopyError,
  InvalidNameError,
  ValidationError,
  StoreTooLargeError,
  ImportError,
  // The error for bounds that exclude each other, and for values that are
  // nested too deeply.
  RangeError,
];
const NOT_FOUND_ERRORS = [
  EntryNotFoundError,
  EntriesNotFoundError,
  ConflictError,
  TargetConflictError,
  KeyNotFoundError,
  VersionConflictError,
];

/** The exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof KeptTextError) return exitCodeOf(error.cause);
  if (USAGE_ERRORS.some((type) => error instanceof type)) return EXIT.usage;
  return NOT_FOUND_ERRORS.some((type) => error instanceof type)
    ? EXIT.notFound
    : EXIT.failure;
}

/** An error as one line without control characters. */
export function lineOf(error: unknown): string {
  return escapeText(error instanceof Error ? error.message : String(error));
}

/** An error with its stack and its causes. */
export function traceOf(error: unknown): string {
  return Deno.inspect(error).split("\n").map(escapeText).join("\n");
}
