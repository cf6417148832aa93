/**
 * Exact JSON: for text that people type, and that other programs have stored. A
 * JSON parser silently changes numbers with more digits than a JavaScript
 * number keeps, and names that come twice in an object. This code refuses them
 * in typed text, and keeps them in stored text.
 *
 * @module
 */
import type { Codec } from "./codec.ts";
import { json } from "./json.ts";
import { quoteText } from "../../base/messages.ts";
import { partsOf } from "../parts.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Longer texts are not examined, because it would only take time. In UTF-16 units. */
const LONGEST_NUMBER = 2000;

/**
 * In longer texts the place of a mistake is not searched, because that would
 * block the event loop. In UTF-16 units.
 */
const LONGEST_SEARCHED = 1_000_000;

/** Functions of `JSON` that TypeScript's library does not know yet. */
const { parse, rawJSON, isRawJSON } = JSON as unknown as {
  parse(text: string, reviver: Reviver): unknown;
  rawJSON(text: string): object;
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
};

type Reviver = (
  key: string,
  value: unknown,
  context: { readonly source?: string },
) => unknown;

/**
 * A JSON codec for values that are printed, not computed with. A number that
 * would be rounded is decoded to its text, as `JSON.rawJSON` makes it, and
 * encoded with the same digits.
 */
export const exactJson: Codec = {
  ...json,
  encode(value) {
    return holdsDigits(value)
      ? encoder.encode(JSON.stringify(value))
      : json.encode(value);
  },
  decode(bytes) {
    const value = json.decode(bytes);
    const text = decoder.decode(bytes);
    return mayBeRounded(text) ? parse(text, keepDigits) : value;
  },
};

/** The digits of a number that was decoded to its text. */
export function exactDigits(value: unknown): string | undefined {
  return isRawJSON(value) ? value.rawJSON : undefined;
}

/** Whether a value contains a number that was decoded to its text. */
function holdsDigits(value: unknown): boolean {
  return partsOf(value).some((part) => exactDigits(part) !== undefined);
}

const keepDigits: Reviver = (_key, value, { source }) =>
  typeof value === "number" && source !== undefined &&
    decimalOf(source) !== decimalOf(String(value))
    ? rawJSON(source)
    : value;

/** An error with its place in a text. */
export class PlaceError extends SyntaxError {
  /** Makes the error for the place at an index of the text. */
  constructor(problem: string, text: string, index: number) {
    const before = text.slice(0, index).split("\n");
    const column = before.at(-1)!.length + 1;
    super(`${problem} (line ${before.length} column ${column})`);
  }
}

/**
 * The value of a JSON text. Throws `SyntaxError`, with the place, if the text
 * is not JSON, or if its value would differ from the text.
 */
export function parseExactJson(text: string): unknown {
  const value = parseJson(text);
  assertNothingLost(text);
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const { message } = error;
    // Some messages contain the place already.
    const hasPlace = /\(line \d+ column \d+\)$/.test(message);
    if (hasPlace || text.length > LONGEST_SEARCHED) throw error;
    throw new PlaceError(message, text, placeOf(message, text));
  }
}

/** The problem of a JSON text, if it has one. */
function problemOf(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

/** The place of the first wrong token: the text before it does not have this problem. */
function placeOf(problem: string, text: string): number {
  const unexpected = "Unexpected token";
  if (!problem.startsWith(unexpected)) {
    return problem.startsWith("Unexpected end") ? text.length : 0;
  }
  let [sound, broken] = [0, text.length];
  while (broken - sound > 1) {
    const middle = (sound + broken) >>> 1;
    const isBroken = problemOf(text.slice(0, middle))?.startsWith(unexpected);
    if (isBroken) broken = middle;
    else sound = middle;
  }
  return sound;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Throws if the value of a JSON text would lose a part of it: digits that a
 * number does not keep, or a name that comes twice in an object.
 */
function assertNothingLost(text: string): void {
  const hasInexact = mayBeRounded(text);
  /** The names so far in each enclosing object; `undefined` stands for an array. */
  const around: (Set<string> | undefined)[] = [];
  let names: Set<string> | undefined;
  let isName = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (isName) addName(names!, text, at, end);
      isName = false;
      at = end - 1;
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      around.push(names);
      names = code === OPEN_OBJECT ? new Set() : undefined;
      isName = code === OPEN_OBJECT;
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      names = around.pop();
    } else if (code === COMMA) {
      isName = names !== undefined;
    } else if (hasInexact && isNumberStart(code)) {
      const end = endOfNumber(text, at);
      assertExact(text.slice(at, end), text, at);
      at = end - 1;
    }
  }
}

/**
 * Adds the name between `start` and `end` of a text, which has quotes. Throws
 * if the name is there already.
 */
function addName(
  names: Set<string>,
  text: string,
  start: number,
  end: number,
): void {
  const source = text.slice(start + 1, end - 1);
  const name: string = source.includes("\\")
    ? JSON.parse(text.slice(start, end))
    : source;
  if (names.has(name)) {
    throw new PlaceError(
      `the name ${quoteText(name)} comes twice in an object`,
      text,
      start,
    );
  }
  names.add(name);
}

/**
 * The end of the string that begins at `start`. A regular expression would need
 * a stack as deep as the string is long.
 */
function endOfString(text: string, start: number): number {
  for (let at = start;;) {
    at = text.indexOf('"', at + 1);
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
}

function isNumberStart(code: number): boolean {
  return code >= ZERO && code <= NINE || code === MINUS;
}

/** The end of the number that begins at `start`. */
function endOfNumber(text: string, start: number): number {
  const pattern = /[\d.eE+-]*/y;
  pattern.lastIndex = start;
  pattern.exec(text);
  return pattern.lastIndex;
}

function assertExact(source: string, text: string, index: number): void {
  if (isExact(source)) return;
  throw new PlaceError(
    `the number ${quoteText(source)} would become ${
      Number(source)
    }; write it as a string`,
    text,
    index,
  );
}

/** Whether a number's value keeps all digits of its text. */
export function isExact(source: string): boolean {
  if (/^-?\d{1,15}$/.test(source)) return true;
  const value = Number(source);
  if (!Number.isFinite(value)) return false;
  const digits = decimalOf(source);
  // The text of -0 has no sign. Many programs print 17 digits.
  return Object.is(value, -0) && digits === "-0" ||
    [String(value), value.toPrecision(17)]
      .some((text) => decimalOf(text) === digits);
}

/** Whether a JSON text may contain a number that would be rounded. */
function mayBeRounded(text: string): boolean {
  return /[\d.]{16}|\d[eE]|-0/.test(text);
}

/** The canonical form of a number's text: all texts of the same number have the same. */
function decimalOf(text: string): string {
  // No number has so many significant digits.
  if (text.length > LONGEST_NUMBER) return text;
  const [, sign, whole, fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  if (whole === undefined) return text;
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return `${sign}0`;
  const power = Number(exponent) - fraction.length + digits.length -
    significant.length;
  return `${sign}${significant}e${power}`;
}
