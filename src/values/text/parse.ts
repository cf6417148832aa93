/**
 * Parses a value that a person wrote. If it cannot be kept exactly as written,
 * it is refused, with the place.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { isExact, parseExactJson, PlaceError } from "../codecs/exact_json.ts";
import { partsOf } from "../parts.ts";

/** The languages for values. */
export const LANGUAGES = ["json", "yaml"] as const;

/** A language for values. */
export type Language = typeof LANGUAGES[number];

/**
 * The value of a text, for a codec of this name. Throws a `SyntaxError` if the
 * text is not a value.
 */
export async function parseValue(
  text: string,
  language: Language,
  codec: string,
): Promise<unknown> {
  if (text.trim() === "") throw new SyntaxError("it is empty");
  return language === "json"
    ? parseExactJson(text)
    : await parseYaml(text, codec);
}

async function parseYaml(
  text: string,
  codec: string,
): Promise<unknown> {
  const value = await decodeYaml(text);
  const rounded = roundedIntegers(text);
  for (const part of partsOf(value)) {
    if (typeof part === "number" && rounded.has(part)) {
      const { source, index } = rounded.get(part)!;
      throw new PlaceError(
        `the number ${source} would become ${part}; write it as a string`,
        text,
        index,
      );
    }
    if (part instanceof Date && codec === "json") {
      throw new SyntaxError(
        `JSON has no form for the time ${part.toISOString()}; write it as a string`,
      );
    }
  }
  return value;
}

async function decodeYaml(text: string): Promise<unknown> {
  const { yaml } = await import("../codecs/yaml.ts");
  try {
    return yaml.decode(new TextEncoder().encode(text));
  } catch (cause) {
    throw new SyntaxError(reasonOf(cause), { cause });
  }
}

/** The integers in a YAML text that would be rounded, by their rounded value. */
function roundedIntegers(
  text: string,
): Map<number, { source: string; index: number }> {
  const runs = [...text.matchAll(/(?<![\w.])[+-]?\d{16,}(?![\w.])/g)]
    .filter(([source]) => !isExact(source));
  return new Map(
    runs.map(({ 0: source, index }) => [Number(source), { source, index }]),
  );
}

/** A text with spaces for its line feeds. */
export function inOneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}
