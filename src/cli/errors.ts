/**
 * What a command's failure means: its exit code, and what is printed of it, in
 * one line.
 *
 * @module
 */
import { CannotCopyError } from "./copying/copy_store.ts";
import { TargetConflictError } from "./copying/follow_changes.ts";
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
  /** There is no such entry, or it has another version than was asked for. */
  notFound: 1,
  /** The command line, or what was to be written, makes no sense. */
  usage: 2,
  /** The store failed, or is not sound. */
  failure: 3,
} as const;

/** The command was not used as it has to be; nothing was done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** There is no such entry. */
export class EntryNotFoundError extends Error {
  override readonly name = "EntryNotFoundError";

  /** Makes the error; `action` is as in "read". */
  constructor(action: string, kind: string, key: string) {
    super(`Cannot ${action} ${quote(kind, key)}: there is no such entry`);
  }
}

/** A kind has no entries. */
export class EntriesNotFoundError extends Error {
  override readonly name = "EntriesNotFoundError";

  /** Makes the error; `action` is as in "copy". */
  constructor(action: string, kind: string) {
    super(`Cannot ${action} ${quoteText(kind)}: the kind has no entries`);
  }
}

/** Somebody else has written meanwhile. */
export class ConflictError extends Error {
  override readonly name = "ConflictError";
}

/** What the user has edited could not be written. It is in a file. */
export class KeptTextError extends Error {
  override readonly name = "KeptTextError";
  override readonly cause: unknown;

  /** Makes the error for why, and where the text is. */
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
  // Of bounds that exclude each other, and of values nested too deep.
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

/** The exit code for what was thrown. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof KeptTextError) return exitCodeOf(error.cause);
  if (USAGE_ERRORS.some((type) => error instanceof type)) return EXIT.usage;
  return NOT_FOUND_ERRORS.some((type) => error instanceof type)
    ? EXIT.notFound
    : EXIT.failure;
}

/** What was thrown, as one line without control characters. */
export function lineOf(error: unknown): string {
  return escapeText(error instanceof Error ? error.message : String(error));
}

/** What was thrown, where, and what was behind it. */
export function traceOf(error: unknown): string {
  return Deno.inspect(error).split("\n").map(escapeText).join("\n");
}
