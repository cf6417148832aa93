/**
 * The value on a command line: its argument, or standard input, as JSON or
 * YAML. A value that cannot be kept exactly as written is refused, with the
 * place.
 *
 * @module
 */
import { unlessAborted } from "../base/promises.ts";
import { reasonOf } from "../base/messages.ts";
import { UsageError } from "./errors.ts";
import { inOneLine, type Language, parseValue } from "../values/text/parse.ts";
import type { CodecName } from "./stores/codecs.ts";

/** The default language for values of a codec. */
export function languageOf(codec: CodecName): Language {
  return codec === "yaml" ? "yaml" : "json";
}

/** The source of a value. */
export interface InputSource {
  /** The argument. Absent or "-": standard input. */
  readonly argument: string | undefined;
  readonly signal: AbortSignal;
}

/** The options for reading a value. */
export interface InputOptions extends InputSource {
  readonly language: Language;
  /** The codec of the store. */
  readonly codec: CodecName;
}

/** Reads the value. Throws `UsageError` if it is invalid. */
export async function readValue(
  { language, codec, ...source }: InputOptions,
): Promise<unknown> {
  return await readSource(source, {
    as: language.toUpperCase(),
    ignoreBOM: false,
    parse: (text) => parseValue(text, language, codec),
  });
}

/** Reads the text itself. Throws `UsageError` if it is not UTF-8. */
export async function readString(source: InputSource): Promise<string> {
  return await readSource(source, {
    as: "a string",
    ignoreBOM: true,
    parse: (text) => text,
  });
}

/** How to read a text. */
interface Reading<T> {
  /** The name of the form, for errors. */
  readonly as: string;
  /** Whether a byte order mark belongs to the text. */
  readonly ignoreBOM: boolean;
  parse(text: string): T | Promise<T>;
}

async function readSource<T>(
  { argument, signal }: InputSource,
  { as, ignoreBOM, parse }: Reading<T>,
): Promise<T> {
  const isInput = argument === undefined || argument === "-";
  const from = isInput ? "standard input" : "the argument";
  try {
    const text = isInput
      ? decode(await readInput(signal), ignoreBOM)
      : argument;
    return await parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError(
      `Cannot read the value from ${from} as ${as}: ${
        inOneLine(reasonOf(cause))
      }`,
      { cause },
    );
  }
}

async function readInput(signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = Deno.stdin.readable.getReader();
  for (;;) {
    const { value } = await unlessAborted(reader.read(), signal);
    if (value === undefined) break;
    chunks.push(value);
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** Decodes bytes to text. Throws a `SyntaxError` if they are not UTF-8. */
export function decode(bytes: Uint8Array, ignoreBOM: boolean): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM }).decode(bytes);
  } catch {
    throw new SyntaxError(
      `it is not UTF-8 (byte ${firstInvalid(bytes) + 1})`,
    );
  }
}

/** The index of the first byte that is not UTF-8. */
function firstInvalid(bytes: Uint8Array): number {
  const encoder = new TextEncoder();
  const lossy = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  let valid = 0;
  for (const piece of lossy.split("\ufffd")) {
    valid += encoder.encode(piece).length;
    // The text may really contain this character.
    const [a, b, c] = bytes.subarray(valid);
    if (a !== 0xef || b !== 0xbf || c !== 0xbd) return valid;
    valid += 3;
  }
  return valid;
}
