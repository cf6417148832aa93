/**
 * JSON as people type it, and as other programs wrote it, with nothing altered
 * on the way. What a parser would change in silence is refused where it is
 * typed, and kept where it is stored: numbers with more digits than a number of
 * JavaScript has, and names that come twice in an object.
 *
 * @module
 */
import type { Codec } from "./codec.ts";
import { json } from "./json.ts";
import { quoteText } from "../../base/messages.ts";
import { partsOf } from "../parts.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Looking at a longer text would only take time, in UTF-16 units. */
const LONGEST_NUMBER = 2000;

/** The place of a mistake is not searched in a longer text: that would hold the event loop. In UTF-16 units. */
const LONGEST_SEARCHED = 1_000_000;

/** What `JSON` has, and TypeScript's library does not know yet. */
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
 * The JSON codec, for values that are printed and not computed with: a number
 * that would be rounded is decoded to its text, as `JSON.rawJSON` makes it, and
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

/** Whether a number that was decoded to its text is in a value. */
function holdsDigits(value: unknown): boolean {
  return partsOf(value).some((part) => exactDigits(part) !== undefined);
}

const keepDigits: Reviver = (_key, value, { source }) =>
  typeof value === "number" && source !== undefined &&
    decimalOf(source) !== decimalOf(String(value))
    ? rawJSON(source)
    : value;

/** A place in a text that something is wrong with. */
export class PlaceError extends SyntaxError {
  /** Makes the error for the place at an index of the text. */
  constructor(problem: string, text: string, index: number) {
    const before = text.slice(0, index).split("\n");
    const column = before.at(-1)!.length + 1;
    super(`${problem} (line ${before.length} column ${column})`);
  }
}

/**
 * The value of a JSON text, with all that the text says. Throws `SyntaxError`,
 * with the place, if the text is no JSON, or its value would be another.
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
    // The message of some problems has the place already.
    const hasPlace = /\(line \d+ column \d+\)$/.test(message);
    if (hasPlace || text.length > LONGEST_SEARCHED) throw error;
    throw new PlaceError(message, text, placeOf(message, text));
  }
}

/** What is wrong with a JSON text. */
function problemOf(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

/** Where the first token is that is out of place: the text up to it has no such problem. */
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
 * Throws if a text, which is JSON, says what its value does not: digits that
 * a number does not keep, or a name that comes twice in an object.
 */
function assertNothingLost(text: string): void {
  const hasInexact = mayBeRounded(text);
  /** The names so far in each object around; `undefined` is an array. */
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

/** Adds the name that a text has from `start` to `end`, in quotes; throws if it is there. */
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

/** Where the string ends that begins at `start`. A pattern would need a stack as deep as it is long. */
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

/** Where the number ends that begins at `start`. */
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

/** Whether a number's text is not altered by more than how it is written. */
export function isExact(source: string): boolean {
  if (/^-?\d{1,15}$/.test(source)) return true;
  const value = Number(source);
  if (!Number.isFinite(value)) return false;
  const digits = decimalOf(source);
  // Its own text has no sign for -0. Many programs print 17 digits.
  return Object.is(value, -0) && digits === "-0" ||
    [String(value), value.toPrecision(17)]
      .some((text) => decimalOf(text) === digits);
}

/** Whether a JSON text may hold a number that is not what it is read as. */
function mayBeRounded(text: string): boolean {
  return /[\d.]{16}|\d[eE]|-0/.test(text);
}

/** A number's text in the one form that all texts of the number have. */
function decimalOf(text: string): string {
  // No number has so many digits that count.
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
