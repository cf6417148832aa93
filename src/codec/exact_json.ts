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

/** Looking at a longer text would only take time, in UTF-16 units. */
const LONGEST_NUMBER = 2000;

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

/** Throws a `SyntaxError`, with the place, where a JSON text holds a number that would be rounded. */
export function assertExactNumbers(text: string): void {
  if (!mayBeRounded(text)) return;
  for (const { token, index } of tokensOf(text)) {
    if (/^[-\d]/.test(token)) assertExact(token, text, index);
  }
}

/** Throws where a JSON text holds what its value does not. */
function assertNothingLost(text: string): void {
  /** The names so far in each object that is open; `undefined` is an array. */
  const open: (Set<string> | undefined)[] = [];
  let before = "";
  for (const { token, index } of tokensOf(text)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (/^[-\d]/.test(token)) assertExact(token, text, index);
    else if (token[0] === '"' && (before === "{" || before === ",")) {
      assertFirst(open.at(-1), { token, index }, text);
    }
    before = token;
  }
}

/** Throws where the name is in the object already. In an array it is none. */
function assertFirst(
  names: Set<string> | undefined,
  { token, index }: Token,
  text: string,
): void {
  if (names === undefined) return;
  const name: string = JSON.parse(token);
  if (names.has(name)) {
    throw new PlaceError(
      `the name ${quoteText(name)} comes twice in an object`,
      text,
      index,
    );
  }
  names.add(name);
}

interface Token {
  readonly token: string;
  readonly index: number;
}

/** The tokens of a JSON text that has no mistakes, but for colons and words. */
function* tokensOf(text: string): Iterable<Token> {
  const pattern = /["{}[\],]|-?\d[\d.eE+-]*/g;
  for (;;) {
    const match = pattern.exec(text);
    if (match === null) return;
    const { 0: token, index } = match;
    if (token !== '"') {
      yield { token, index };
      continue;
    }
    pattern.lastIndex = endOfString(text, index);
    yield { token: text.slice(index, pattern.lastIndex), index };
  }
}

/** Where the string ends that begins at `start`. A pattern would need a stack as deep as it is long. */
function endOfString(text: string, start: number): number {
  for (let at = start;;) {
    at = text.indexOf('"', at + 1);
    let escapes = 0;
    while (text[at - 1 - escapes] === "\\") escapes++;
    if (escapes % 2 === 0) return at + 1;
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
