/**
 * Keeps passwords out of what is printed.
 *
 * The invariant: the password in a PostgreSQL URL is never on standard output
 * or standard error, whatever the rest of the text is. If it is not clear where
 * a password ends, more is hidden.
 *
 * @module
 */

/** What stands in the place of a password. */
const HIDDEN = "***";

/**
 * The user and the password of a URL in a text. The last "@" of the word ends
 * the password, or the place at which the word was cut.
 */
const IN_TEXT = /(postgres(?:ql)?:\/\/[^\s:/?#@]*):\S*(?:@|(?="…))/gi;

/** The same of a word that is a URL, and may hold spaces. */
const IN_WORD = /(postgres(?:ql)?:\/\/[^\s:/?#@]*):.*@/gis;

/** A password among the parameters of a URL, which the client reads, too. */
const IN_PARAMETER = /([?&](?:ssl)?password=)[^&#\s"'`]*/gi;

/** A text without the passwords of the URLs in it. */
export function withoutPasswords(text: string): string {
  return hide(text, IN_TEXT);
}

/** A word of a command line without the password, if it is a URL or has one in it. */
export function withoutPassword(word: string): string {
  return hide(word, IN_WORD);
}

function hide(text: string, pattern: RegExp): string {
  return text
    .replace(pattern, `$1:${HIDDEN}@`)
    .replace(IN_PARAMETER, `$1${HIDDEN}`);
}
