/**
 * Lets the user edit a value as text.
 *
 * @module
 */
import { equalBytes } from "../../base/bytes.ts";
import { reasonOf } from "../../base/messages.ts";
import { UsageError } from "../errors.ts";
import {
  inOneLine,
  type Language,
  parseValue,
} from "../../values/text/parse.ts";
import { escapeJson } from "../../base/escape.ts";
import type { ToJson } from "../output/formats.ts";
import { writeError } from "../output/output.ts";
import {
  assertEncodable,
  type CodecName,
  codecNamed,
} from "../stores/codecs.ts";
import type { EditedFile } from "./edited_file.ts";
import { ask, canAsk } from "./question.ts";

/** The settings for editing a value. */
export interface Editing {
  /** The language of the text. */
  readonly language: Language;
  /** The codec of the store. */
  readonly codec: CodecName;
  readonly signal: AbortSignal;
  /** Runs the editor on a file. */
  edit(path: string): Promise<void>;
}

/** A value as a text to edit. Throws `UsageError` if the language cannot express it. */
export async function textOf(
  value: unknown,
  toJson: ToJson,
  { language, codec }: Pick<Editing, "language" | "codec">,
): Promise<string> {
  const text = language === "yaml"
    ? await yamlTextOf(value)
    : jsonTextOf(value, toJson);
  // The value was decoded from JSON, so JSON can express it.
  if (language === "json" && codec === "json") return text;
  if (await isTextOf(text, value, { language, codec })) return text;
  throw new UsageError(
    `Cannot edit as ${language.toUpperCase()}: the value would change; ${
      language === "json"
        ? "use --input yaml"
        : codec === "json"
        ? "use --input json"
        : "only a program can write this value"
    }`,
  );
}

async function yamlTextOf(value: unknown): Promise<string> {
  const { yamlText } = await import("../../values/text/yaml.ts");
  return yamlText(value);
}

function jsonTextOf(value: unknown, toJson: ToJson): string {
  try {
    return `${escapeJson(toJson(value, 2))}\n`;
  } catch (error) {
    // Its advice applies to commands that print.
    const cause = error instanceof UsageError ? error.cause : error;
    throw new UsageError(
      `Cannot edit as JSON: ${reasonOf(cause)}; use --input yaml`,
      { cause },
    );
  }
}

/**
 * Whether a text is read as the same value. A date, for example, would be read
 * from JSON as a string.
 */
async function isTextOf(
  text: string,
  value: unknown,
  { language, codec }: Pick<Editing, "language" | "codec">,
): Promise<boolean> {
  const { encode } = await codecNamed(codec);
  try {
    const read = await parseValue(text, language, codec);
    return equalBytes(encode(read), encode(value));
  } catch {
    return false;
  }
}

/**
 * Lets the user edit a file until it contains a value that can be written.
 *
 * @returns The value; `undefined` if the text was not changed. Throws
 * `UsageError` if the text is not a value, and the user gives up.
 */
export async function editValue(
  file: EditedFile,
  { language, codec, signal, edit }: Editing,
): Promise<{ readonly value: unknown } | undefined> {
  for (;;) {
    await edit(file.path);
    if (!await file.isChanged()) return undefined;
    try {
      const value = await parse(file, language, codec);
      await assertEncodable(value, codec);
      return { value };
    } catch (error) {
      if (!(error instanceof UsageError) || !canAsk()) throw error;
      writeError(`zestor: ${error.message}`);
      if (!await ask("Edit again?", signal)) throw error;
    }
  }
}

async function parse(
  file: EditedFile,
  language: Language,
  codec: CodecName,
): Promise<unknown> {
  try {
    return await parseValue(await file.read(), language, codec);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError(
      `Cannot read the edited text as ${language.toUpperCase()}: ${
        inOneLine(reasonOf(cause))
      }`,
      { cause },
    );
  }
}
