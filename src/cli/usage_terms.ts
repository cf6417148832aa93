/**
 * Reads the words of a command line, which may be incomplete.
 *
 * @module
 */
import type { Usage } from "@optique/core/usage";

/** The value of an option, if it has one. */
export function wordOf(
  words: readonly string[],
  option: string,
): string | undefined {
  const joined = words.find((word) => word.startsWith(`${option}=`));
  if (joined !== undefined) return joined.slice(option.length + 1);
  const at = words.indexOf(option);
  return at < 0 ? undefined : words[at + 1];
}

/** Whether a word is an option that takes a value. */
export function takesValue(usage: Usage, word: string): boolean {
  return usage.some((term) => {
    switch (term.type) {
      case "option":
        return term.metavar !== undefined &&
          (term.names as readonly string[]).includes(word);
      case "exclusive":
        return term.terms.some((usage) => takesValue(usage, word));
      case "optional":
      case "multiple":
      case "sequence":
        return takesValue(term.terms, word);
      default:
        return false;
    }
  });
}
