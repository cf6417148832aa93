/**
 * Makes what a store, a file's name or a command line holds safe to show: no
 * control character, and nothing that turns the direction of what follows,
 * reaches a terminal. It is shown as an escape instead.
 *
 * @module
 */

// What JSON text may hold as it is: line feeds are its own, other controls it escapes.
const INVISIBLE =
  /[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

// Lone surrogates have no form in UTF-8.
const HAZARDS =
  /[\p{Cc}\p{Surrogate}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Whether a text holds what has to be escaped. */
export function isHazardous(text: string): boolean {
  HAZARDS.lastIndex = 0;
  return HAZARDS.test(text);
}

/** A text, with what is hazardous as escapes of JavaScript. */
export function escapeText(text: string): string {
  return text.replace(HAZARDS, escapeOf);
}

/** JSON text of the same meaning, with what is hazardous as escapes. */
export function escapeJson(json: string): string {
  return json.replace(INVISIBLE, escapeOf);
}

/** A kind or a key: as it is where that is plain, else as a JSON string. */
export function nameText(name: string): string {
  if (!isHazardous(name) && !/^["\s]|\s$/.test(name)) return name;
  return escapeJson(JSON.stringify(name));
}

function escapeOf(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  const code = character.charCodeAt(0);
  return `\\u${code.toString(16).padStart(4, "0")}`;
}
