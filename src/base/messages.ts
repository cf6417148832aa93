/**
 * The parts of error messages: names, values and reasons, whatever they are.
 *
 * @module
 */

import { platform } from "./platform.ts";

/** More of a text, in characters, makes no message clearer. */
const LONGEST_TEXT = 200;

/** An entry: its kind and key, quoted and escaped. */
export function quote(kind: string, key: string): string {
  return `${quoteText(kind)}/${quoteText(key)}`;
}

/** A text, quoted and escaped; of a long one the beginning. */
export function quoteText(text: string): string {
  if (text.length <= LONGEST_TEXT) return JSON.stringify(text);
  const beginning = JSON.stringify(text.slice(0, LONGEST_TEXT));
  return `${beginning}… (${text.length} characters)`;
}

/** A value that was received. It may be one that throws when it is looked at. */
export function describe(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  try {
    return platform.inspect(value, { depth: 2, textLength: LONGEST_TEXT });
  } catch {
    return typeof value === "object" ? "an object" : `a ${typeof value}`;
  }
}

/** Why something was thrown. That may be anything, too. */
export function reasonOf(cause: unknown): string {
  try {
    return cause instanceof Error ? cause.message : String(cause);
  } catch {
    return describe(cause);
  }
}
