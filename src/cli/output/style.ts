/**
 * Text in colours, on a terminal. Node.js has `styleText` for that, but to load
 * it takes each command 10 ms.
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

/** How text is shown. */
export type Style = keyof typeof CODES;

/** Text that a terminal shows in a style. */
export function styled(style: Style, text: string): string {
  const [begin, end] = CODES[style];
  return `\x1b[${begin}m${text}\x1b[${end}m`;
}
