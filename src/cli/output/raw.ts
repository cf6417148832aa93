/**
 * Prints strings and bytes unchanged, without quotes or escapes.
 *
 * On a terminal, control characters are escaped, and bytes are refused.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { escapeText } from "../../base/escape.ts";
import type { Output } from "./output.ts";

/**
 * Prints a text and an end, which is never escaped. Throws `UsageError` if
 * UTF-8 cannot express the text.
 */
export async function printText(
  output: Output,
  { text, end, what }: {
    readonly text: string;
    readonly end: string;
    /** The name of the text, for errors. */
    readonly what: string;
  },
): Promise<void> {
  if (!text.isWellFormed()) {
    throw new UsageError(
      `Cannot print ${what} raw: it contains a lone surrogate, which UTF-8 cannot express; leave out --raw`,
    );
  }
  await output.write((isTerminal(output) ? safeText(text) : text) + end);
}

/** Prints bytes, with nothing after them. Throws `UsageError` on a terminal. */
export async function printBytes(
  output: Output,
  bytes: Uint8Array,
  what: string,
): Promise<void> {
  if (isTerminal(output)) {
    throw new UsageError(
      `Cannot print ${what} raw: it is bytes, and standard output is a terminal; write it to a file or a pipe`,
    );
  }
  await output.writeBytes(bytes);
}

function isTerminal({ columns }: Output): boolean {
  return columns !== undefined;
}

/** Line feeds and tabs are kept. */
function safeText(text: string): string {
  return text.split(/([\n\t])/)
    .map((part) => part === "\n" || part === "\t" ? part : escapeText(part))
    .join("");
}
