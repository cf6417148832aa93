/**
 * Stored values as text for the page: whole, cut, or as a preview on one line.
 *
 * The invariant: every stored value has an answer. Its time and memory are
 * proportional to the shown part, or limited.
 *
 * @module
 */
import { toHex } from "../base/byte_texts.ts";
import { equalBytes } from "../base/bytes.ts";
import { escapeJson } from "../base/escape.ts";
import { reasonOf } from "../base/messages.ts";
import { exactDigits } from "../values/codecs/exact_json.ts";
import { stringifyJson } from "../values/codecs/json.ts";
import { multipliesWithoutEnd, partsOf } from "../values/parts.ts";
import { flowText } from "../values/text/flow.ts";
import { parseValue } from "../values/text/parse.ts";
import { yamlText } from "../values/text/yaml.ts";
import type { Values } from "../values/values.ts";
import type { Language, ShownValue } from "./api.ts";

/** Larger values are not decoded for display, in bytes. */
export const MOST_SHOWN = 32 * 1024 * 1024;

/** Larger values are not decoded for a preview, in bytes. */
export const MOST_PREVIEWED = 64 * 1024;

/** The default length of a value's text, in UTF-16 units. */
export const LONGEST_TEXT = 256 * 1024;

/** The longest preview, in UTF-16 units. */
export const LONGEST_PREVIEW = 200;

/** How many bytes of an undecodable value are shown. */
const MOST_BYTES = 1024;

/** A stored value. */
export interface Stored {
  readonly kind: string;
  readonly key: string;
  readonly value: Uint8Array;
}

/** A value's whole text. */
export interface ValueText {
  readonly language: Language;
  readonly text: string;
  /** Why it is not in the requested language. */
  readonly reason?: string;
}

/** The default language for values of a codec. */
export function languageOf(codec: string): Language {
  return codec === "yaml" ? "yaml" : "json";
}

/** A value on one line, cut. */
export function previewOf(
  values: Values,
  { kind, key, value }: Stored,
): ShownValue {
  if (value.length > MOST_PREVIEWED) {
    return large(value, "it is too large for a preview");
  }
  return shown(value, LONGEST_PREVIEW, () => {
    // A copy, because a codec may give its bytes away.
    const decoded = values.decode(kind, key, value.slice());
    return values.codecOf(kind) === "json"
      ? { language: "json", text: jsonText(decoded) }
      : { language: "yaml", text: flowText(decoded) };
  });
}

/** A value as text of at most this many UTF-16 units. */
export function textOf(
  values: Values,
  stored: Stored,
  language: Language,
  longest: number,
): ShownValue {
  const { kind, key, value } = stored;
  if (value.length > MOST_SHOWN) {
    return large(value, "it is too large to show; download it");
  }
  return shown(
    value,
    longest,
    () => valueText(values.decode(kind, key, value.slice()), language),
  );
}

/** A decoded value as text. It is YAML if JSON cannot express it. */
export function valueText(value: unknown, language: Language): ValueText {
  if (language === "yaml") return { language, text: yamlText(value) };
  try {
    return { language, text: jsonText(value, 2) };
  } catch (error) {
    const reason = reasonOf(error);
    return { language: "yaml", text: yamlText(value), reason };
  }
}

/** JSON for a browser. Throws if JSON cannot express the value. */
function jsonText(value: unknown, indent?: number): string {
  if (multipliesWithoutEnd(value)) {
    throw new TypeError(
      "its text would have no end, or be far too long, because objects repeat in it",
    );
  }
  const hasDigits = partsOf(value).some((part) =>
    exactDigits(part) !== undefined
  );
  // A value with exact digits was decoded from JSON, so JSON can express it.
  const text = hasDigits
    ? JSON.stringify(value, null, indent)
    : stringifyJson(value, indent);
  return escapeJson(text);
}

/**
 * Why the text of a stored value cannot be edited; `undefined` if it can,
 * because it is read back as the same value.
 */
export async function whyNotEdited(
  values: Values,
  { kind, key, value }: Stored,
  { language, text, reason }: ValueText,
): Promise<string | undefined> {
  const other = language === "json" ? "YAML" : "JSON";
  const name = language === "json" ? "JSON" : "YAML";
  try {
    const read = await parseValue(text, language, values.codecOf(kind));
    const again = values.encode(kind, key, read);
    // The stored text may have other spaces.
    const decoded = values.decode(kind, key, value.slice());
    if (equalBytes(again, values.encode(kind, key, decoded))) return undefined;
  } catch {
    // Then it is not the same value either.
  }
  return reason === undefined
    ? `As ${name} the value would change; try ${other}, or write it with a program`
    : `JSON cannot express it (${reason}), and YAML would change it; write it with a program`;
}

/** Shows decoded bytes, if they can be decoded. */
function shown(
  bytes: Uint8Array,
  longest: number,
  make: () => ValueText,
): ShownValue {
  let made: ValueText;
  try {
    made = make();
  } catch (error) {
    return unreadable(bytes, error);
  }
  const { language, text } = made;
  return {
    state: "text",
    language,
    text: cut(text, longest),
    length: text.length,
    isCut: text.length > longest,
  };
}

/** The beginning of a text, without half a character at its end. */
function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return text.slice(0, longest).replace(/[\ud800-\udbff]$/, "");
}

function unreadable(bytes: Uint8Array, error: unknown): ShownValue {
  return {
    state: "unreadable",
    message: reasonOf(error),
    bytes: toHex(bytes.subarray(0, MOST_BYTES)),
    isCut: bytes.length > MOST_BYTES,
  };
}

function large(bytes: Uint8Array, why: string): ShownValue {
  return {
    state: "large",
    message: `The value has ${bytes.length} bytes: ${why}`,
  };
}
