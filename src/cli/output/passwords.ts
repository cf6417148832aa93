/**
 * Keeps passwords out of what is printed.
 *
 * The invariant: the password in the URL of a server is never on standard output
 * or standard error, whatever the rest of the text is. If it is not clear where
 * a password ends, more is hidden.
 *
 * @module
 */

/** What stands in the place of a password. */
const HIDDEN = "***";

/**
 * The user and the password of a URL. The last "@" before another URL ends the
 * password, or the place at which a long word was cut.
 */
const IN_URL =
  /((?:postgres(?:ql)?|etcds?):\/\/[^\s:/?#@,]*):(?:(?!(?:postgres(?:ql)?|etcds?):\/\/).)*(?:@|(?="…))/gis;

/** A password among the parameters of a URL, which the client reads, too. */
const IN_PARAMETER = /([?&](?:ssl)?password=)[^&#\s"'`]*/gi;

/** A text without the passwords of the URLs in it. */
export function withoutPasswords(text: string): string {
  return text
    .replace(IN_URL, `$1:${HIDDEN}@`)
    .replace(IN_PARAMETER, `$1${HIDDEN}`);
}
