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
import { quoteText } from "../errors.ts";

const decoder = new TextDecoder();

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
 * that would be rounded is decoded to its text, as `JSON.rawJSON` makes it.
 */
export const exactJson: Codec = {
  ...json,
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

/** The value of a JSON text; throws `SyntaxError`, with the place. */
export function parseExactJson(text: string): unknown {
  const problem = problemOf(text);
  if (problem !== undefined) {
    // Of some problems the message has the place already.
    if (/\(line \d+ column \d+\)$/.test(problem)) {
      throw new SyntaxError(problem);
    }
    throw new PlaceError(problem, text, placeOf(problem, text));
  }
  assertNothingLost(text);
  return JSON.parse(text);
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
  if (!problem.startsWith(unexpected)) return text.length;
  let [sound, broken] = [0, text.length];
  while (broken - sound > 1) {
    const middle = (sound + broken) >>> 1;
    const isBroken = problemOf(text.slice(0, middle))?.startsWith(unexpected);
    if (isBroken) broken = middle;
    else sound = middle;
  }
  return sound;
}

// Strings first: what looks like another token within one is none.
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}[\],]/g;

/** Throws where a JSON text holds a number that would be rounded. */
export function assertExactNumbers(text: string): void {
  if (!mayBeRounded(text)) return;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (/^[-\d]/.test(token)) assertExact(token, text, index);
  }
}

/** Throws where a JSON text holds what its value does not. */
function assertNothingLost(text: string): void {
  /** The names so far in each object that is open; `undefined` is an array. */
  const open: (Set<string> | undefined)[] = [];
  let before = "";
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ",") { /* What counts is that it was before. */ }
    else if (token[0] !== '"') assertExact(token, text, index);
    else if (before === "{" || before === ",") {
      const name: string = JSON.parse(token);
      const names = open.at(-1);
      if (names?.has(name)) {
        throw new PlaceError(
          `the name ${quoteText(name)} comes twice in an object`,
          text,
          index,
        );
      }
      names?.add(name);
    }
    before = token;
  }
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
  const value = Number(source);
  if (source.length < 16 && Number.isSafeInteger(value)) return true;
  if (!Number.isFinite(value)) return false;
  const digits = decimalOf(source);
  // Many programs print 17 digits of what is the same number.
  return [String(value), value.toPrecision(17)]
    .some((text) => decimalOf(text) === digits);
}

/** Whether a JSON text may hold a number that is not what it is read as. */
function mayBeRounded(text: string): boolean {
  return /[\d.]{16}|\d[eE]|-0/.test(text);
}

/** A number's text in the one form that all texts of the number have. */
function decimalOf(text: string): string {
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
