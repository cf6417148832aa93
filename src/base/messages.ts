/**
 * The parts of error messages: names, values and reasons. Each function accepts
 * any value.
 *
 * @module
 */

import { platform } from "./platform.ts";

/** Messages show at most this many characters of a text. */
const LONGEST_TEXT = 200;

/** An entry: its kind and key, quoted and escaped. */
export function quote(kind: string, key: string): string {
  return `${quoteText(kind)}/${quoteText(key)}`;
}

/** A text, quoted and escaped. A long text is cut. */
export function quoteText(text: string): string {
  if (text.length <= LONGEST_TEXT) return JSON.stringify(text);
  const beginning = JSON.stringify(text.slice(0, LONGEST_TEXT));
  return `${beginning}… (${text.length} characters)`;
}

/**
 * Describes a received value. It also works for values that throw when they are
 * inspected.
 */
export function describe(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  try {
    return platform.inspect(value, { depth: 2, textLength: LONGEST_TEXT });
  } catch {
    return typeof value === "object" ? "an object" : `a ${typeof value}`;
  }
}

/** The reason of a thrown value, which need not be an `Error`. */
export function reasonOf(cause: unknown): string {
  try {
    return cause instanceof Error ? cause.message : String(cause);
  } catch {
    return describe(cause);
  }
}
