/**
 * Checks of the names of kinds and keys.
 *
 * @module
 */
import { describe, quoteText } from "../base/messages.ts";
import { InvalidNameError } from "../contract/errors.ts";

/** Throws `InvalidNameError` unless the kind and the key are valid names. */
export function assertEntryName(kind: unknown, key: unknown): void {
  assertName("kind", kind);
  assertName("key", key);
}

/**
 * Throws `InvalidNameError` unless the name is a non-empty, well-formed string
 * without NUL. SQLite's bindings cut text at a NUL, and replace each lone
 * surrogate by the same character, so two keys would become one.
 */
export function assertName(
  what: "kind" | "key",
  name: unknown,
): asserts name is string {
  assertText(what, name);
  if (name === "") {
    throw new InvalidNameError(`Cannot use "" as a ${what}: it is empty`);
  }
}

/** The same check for a part of a key, such as a prefix, which may be empty. */
export function assertText(
  what: string,
  text: unknown,
): asserts text is string {
  if (typeof text !== "string") {
    throw new InvalidNameError(
      `Cannot use ${describe(text)} as a ${what}: it is not a string`,
    );
  }
  if (text.includes("\0")) {
    throw new InvalidNameError(
      `Cannot use ${quoteText(text)} as a ${what}: it contains a NUL`,
    );
  }
  if (!text.isWellFormed()) {
    throw new InvalidNameError(
      `Cannot use ${
        quoteText(text)
      } as a ${what}: it contains a lone surrogate`,
    );
  }
}
