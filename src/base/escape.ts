/**
 * Makes text from a store, a file name or a command line safe to show. Control
 * characters, and characters that change the text direction, are shown as
 * escapes, so they cannot affect a terminal.
 *
 * @module
 */

// JSON text may contain line feeds between its tokens. It escapes other control
// characters itself.
const INVISIBLE =
  /[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

// UTF-8 cannot express lone surrogates.
const HAZARDS =
  /[\p{Cc}\p{Surrogate}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Whether a text contains characters to escape. */
export function isHazardous(text: string): boolean {
  HAZARDS.lastIndex = 0;
  return HAZARDS.test(text);
}

/** A text with hazardous characters as JavaScript escapes. */
export function escapeText(text: string): string {
  return text.replace(HAZARDS, escapeOf);
}

/**
 * JSON text with hazardous characters as escapes. Its meaning does not change.
 */
export function escapeJson(json: string): string {
  return json.replace(INVISIBLE, escapeOf);
}

/** A kind or a key: unchanged if it is plain, else as a JSON string. */
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
