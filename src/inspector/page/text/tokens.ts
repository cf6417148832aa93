/**
 * The coloured pieces of a JSON or YAML text. Joined, they always give the
 * whole text.
 *
 * @module
 */
import type { Language } from "../../api.ts";

/** A piece of text, and its colour. */
export interface Token {
  readonly text: string;
  readonly type?: "key" | "string" | "number" | "word" | "comment";
}

/** After this many coloured pieces, the rest has no colour, so that the page stays small. */
const MOST_TOKENS = 3_000;

/** A longer line of YAML has no colours, because searching it would take too long. */
const LONGEST_LINE = 2_000;

const JSON_PIECES =
  /(?<string>"(?:[^"\\\n]|\\.)*"?)(?<colon>\s*:)?|(?<number>-?\d[\d.eE+-]*)|(?<word>\b(?:true|false|null)\b)/g;

const YAML_SCALAR =
  /^(?:(?<string>"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?)|(?<number>[-+]?(?:\d[\d_.eE+-]*|\.(?:inf|nan)))|(?<word>true|false|null|~))(?=\s*(?:[,\]}#]|$))/i;
const YAML_LINE =
  /^(?<indent>\s*(?:- +|\? +)*)(?:(?<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#"'[{&*!|>%@`-][^#]*?|-[^\s#][^#]*?)(?<colon>\s*:)(?=\s|$))?(?<rest>.*)$/;

/** The pieces of a text. */
export function tokensOf(text: string, language: Language): Token[] {
  // A YAML preview on one line has the syntax of JSON.
  const isFlow = language === "json" || /^["[{].*$/.test(text);
  const tokens = isFlow ? jsonTokens(text) : yamlTokens(text);
  return [...merged(tokens)];
}

function* jsonTokens(text: string): Iterable<Token> {
  let done = 0;
  for (const match of text.matchAll(JSON_PIECES)) {
    const { string, colon, number } = match.groups!;
    yield { text: text.slice(done, match.index) };
    if (string === undefined) {
      yield { text: match[0], type: number === undefined ? "word" : "number" };
    } else {
      yield { text: string, type: colon === undefined ? "string" : "key" };
      if (colon !== undefined) yield { text: colon };
    }
    done = match.index + match[0].length;
  }
  yield { text: text.slice(done) };
}

function* yamlTokens(text: string): Iterable<Token> {
  /** The indentation of the line that a block of text belongs to. */
  let block: number | undefined;
  for (const line of text.split(/(?<=\n)/)) {
    const indent = line.search(/\S/);
    if (block !== undefined && (indent < 0 || indent > block)) {
      yield { text: line, type: "string" };
      continue;
    }
    block = /(?:^|[:\s-])[|>][-+\d]*\s*$/.test(line) ? indent : undefined;
    yield* yamlLine(line);
  }
}

function* yamlLine(line: string): Iterable<Token> {
  if (line.length > LONGEST_LINE) {
    yield { text: line };
    return;
  }
  const end = line.endsWith("\n") ? "\n" : "";
  const body = end === "" ? line : line.slice(0, -1);
  const { indent = "", key, colon = "", rest = "" } =
    YAML_LINE.exec(body)?.groups ?? { rest: body };
  yield { text: indent };
  if (key !== undefined) yield { text: key, type: "key" };
  yield { text: colon };
  const space = rest.slice(0, rest.length - rest.trimStart().length);
  const value = rest.slice(space.length);
  yield { text: space };
  if (value.startsWith("#")) yield { text: value, type: "comment" };
  else yield* yamlValue(value);
  yield { text: end };
}

function* yamlValue(value: string): Iterable<Token> {
  const scalar = YAML_SCALAR.exec(value);
  if (scalar === null) {
    const isPlain = value !== "" && !/^[[{|>&*!-]/.test(value);
    yield { text: value, type: isPlain ? "string" : undefined };
    return;
  }
  const { string, number } = scalar.groups!;
  const type = string !== undefined
    ? "string"
    : number !== undefined
    ? "number"
    : "word";
  yield { text: scalar[0], type };
  yield { text: value.slice(scalar[0].length) };
}

/** Joins neighbours of one colour, and everything after the limit. */
function* merged(tokens: Iterable<Token>): Iterable<Token> {
  let last: { text: string; type?: Token["type"] } | undefined;
  let count = 0;
  for (const { text, type } of tokens) {
    if (text === "") continue;
    const shown = count > MOST_TOKENS ? undefined : type;
    if (last !== undefined && last.type === shown) {
      last.text += text;
      continue;
    }
    if (last !== undefined) yield last;
    last = { text, type: shown };
    count++;
  }
  if (last !== undefined) yield last;
}
