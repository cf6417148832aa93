/**
 * The text of the parser's messages, on one line. Words that the user typed are
 * shown with escapes. Only this file adds colours.
 *
 * @module
 */
import {
  formatMessage,
  type Message,
  type MessageTerm,
} from "@optique/core/message";
import { quoteText } from "../base/messages.ts";
import { UsageError } from "./errors.ts";
import { escapeText } from "../base/escape.ts";
import { withoutPasswords } from "./output/passwords.ts";
import { type Style, styled } from "./output/style.ts";

const STYLES: Partial<Record<MessageTerm["type"], Style>> = {
  optionName: "italic",
  optionNames: "italic",
  metavar: "bold",
  value: "green",
  values: "green",
};

/** The parser refused the command line. Nothing was done. */
export class CommandLineError extends UsageError {
  /** The message, in its parts. */
  readonly parts: Message;

  /** Makes the error. */
  constructor(parts: Message) {
    super(usageText(parts, "plain"));
    this.parts = parts;
  }
}

/** The text of a message. `"colored"` is for a terminal. */
export function usageText(
  parts: Message,
  as: "plain" | "colored",
): string {
  return parts.map((term) => {
    const text = escapeText(plainText(term));
    const style = STYLES[term.type];
    return as === "colored" && style ? styled(style, text) : text;
  }).join("");
}

function plainText(term: MessageTerm): string {
  switch (term.type) {
    case "text":
      return term.text.replace(/\s*\n\s*/g, " ");
    case "value":
      // A long word is cut.
      return quoteText(withoutPasswords(term.value));
    default:
      return formatMessage([term], { colors: false, quotes: true });
  }
}
