/**
 * Colours on a terminal. `styleText` of Node.js could do it, but loading it
 * costs each command 10 ms.
 *
 * @module
 */

/** The codes that begin and end each style (https://man7.org/linux/man-pages/man4/console_codes.4.html). */
const CODES = {
  bold: [1, 22],
  italic: [3, 23],
  red: [31, 39],
  green: [32, 39],
} as const;

/** The name of a style. */
export type Style = keyof typeof CODES;

/** Text in a style for a terminal. */
export function styled(style: Style, text: string): string {
  const [begin, end] = CODES[style];
  return `\x1b[${begin}m${text}\x1b[${end}m`;
}
