/**
 * Keeps passwords out of the output.
 *
 * The invariant: the password in the URL of a server never reaches standard
 * output or standard error, whatever the rest of the text is. If the end of
 * a password is uncertain, more text is hidden.
 *
 * @module
 */

/** Replaces a password. */
const HIDDEN = "***";

/**
 * The user and the password of a URL. The password ends at the last "@" before
 * another URL, or where a long word was cut.
 */
const IN_URL =
  /((?:postgres(?:ql)?|etcds?):\/\/[^\s:/?#@,]*):(?:(?!(?:postgres(?:ql)?|etcds?):\/\/).)*(?:@|(?="…))/gis;

/** A password in the parameters of a URL, which the client also reads. */
const IN_PARAMETER = /([?&](?:ssl)?password=)[^&#\s"'`]*/gi;

/** A text without the passwords of the URLs in it. */
export function withoutPasswords(text: string): string {
  return text
    .replace(IN_URL, `$1:${HIDDEN}@`)
    .replace(IN_PARAMETER, `$1${HIDDEN}`);
}
