/**
 * Converts an entry to a line of NDJSON, and back.
 *
 * The invariant: if a line is imported with the codec that it was exported
 * with, the stored bytes are the same. If JSON cannot express the value
 * exactly, the line has the bytes themselves.
 *
 * @module
 */
import { fromBase64, toBase64 } from "../../base/byte_texts.ts";
import { parseExactJson } from "../../values/codecs/exact_json.ts";
import { describe, quoteText, reasonOf } from "../../base/messages.ts";
import { assertEntryName } from "../../keys/names.ts";
import { LAST_NUMBER } from "../../engine/last_number.ts";
import type { StoredEntry } from "../../engine/entries.ts";
import type { Values } from "../../values/values.ts";
import { formatTime, parseTime } from "./time.ts";

/** The functions that convert stored values to JSON. */
export type LineValues = Pick<Values, "codecOf" | "jsonOf">;

/** The optional parts of a line, besides the value. */
export interface LineParts {
  readonly versions: boolean;
  readonly times: boolean;
}

/** A parsed line. */
export interface EntryLine {
  readonly kind: string;
  readonly key: string;
  /** The value, or its bytes and the name of the codec that encoded them. */
  readonly content:
    | { readonly value: unknown }
    | { readonly bytes: Uint8Array; readonly codec: string };
  readonly version?: number;
  readonly updatedAt?: Date;
  readonly expiresAt?: Date;
}

/** An entry's line, without the line feed. */
export function formatLine(
  values: LineValues,
  kind: string,
  { key, value, version, updatedAt, expiresAt }: StoredEntry,
  { versions, times }: LineParts,
): string {
  const fields = [
    `"kind":${JSON.stringify(kind)}`,
    `"key":${JSON.stringify(key)}`,
    contentOf(values, kind, key, value),
  ];
  if (versions) fields.push(`"version":${version}`);
  const time = times ? formatTime(updatedAt) : undefined;
  if (time !== undefined) fields.push(`"updatedAt":"${time}"`);
  if (expiresAt !== undefined) {
    const text = formatTime(new Date(expiresAt));
    if (text !== undefined) fields.push(`"expiresAt":"${text}"`);
  }
  return `{${fields.join()}}`;
}

function contentOf(
  values: LineValues,
  kind: string,
  key: string,
  stored: Uint8Array,
): string {
  const text = values.jsonOf(kind, key, stored);
  if (text !== undefined) return `"value":${text}`;
  const name = JSON.stringify(values.codecOf(kind));
  return `"codec":${name},"bytes":"${toBase64(stored)}"`;
}

const NAMES = [
  "kind",
  "key",
  "value",
  "codec",
  "bytes",
  "version",
  "updatedAt",
  "expiresAt",
];

/** Parses a line. Throws with the reason if it is not an entry. */
export function parseLine(text: string): EntryLine {
  const line = parseObject(text);
  const { kind, key, version, updatedAt, expiresAt } = line;
  assertEntryName(kind, key);
  return {
    kind: kind as string,
    key: key as string,
    content: parseContent(line),
    version: parseVersion(version),
    updatedAt: parseTime("updatedAt", updatedAt),
    expiresAt: parseTime("expiresAt", expiresAt),
  };
}

function parseObject(text: string): Record<string, unknown> {
  const line = parseJson(text);
  if (typeof line !== "object" || line === null || Array.isArray(line)) {
    throw new TypeError(
      `expected an object, received ${
        Array.isArray(line) ? "an array" : describe(line)
      }`,
    );
  }
  for (const name of Object.keys(line)) {
    if (NAMES.includes(name)) continue;
    throw new TypeError(
      `unknown ${quoteText(name)}, expected ${
        NAMES.map((name) => `"${name}"`).join(", ")
      }`,
    );
  }
  return line as Record<string, unknown>;
}

/** Parses the JSON of a line. An error gives only the column. */
function parseJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (cause) {
    const reason = reasonOf(cause).replace(/\(line 1 (column \d+)\)$/, "($1)");
    throw new SyntaxError(reason, { cause });
  }
}

function parseContent(line: Record<string, unknown>): EntryLine["content"] {
  const { value, codec, bytes } = line;
  const hasBytes = codec !== undefined || bytes !== undefined;
  if (("value" in line) === hasBytes) {
    throw new TypeError('expected "value", or "codec" and "bytes"');
  }
  if (!hasBytes) return { value };
  if (typeof codec !== "string" || typeof bytes !== "string") {
    throw new TypeError(
      `"codec" and "bytes" are strings, received ${describe(codec)} and ${
        describe(bytes)
      }`,
    );
  }
  return { codec, bytes: parseBytes(bytes) };
}

/**
 * Decodes base64. Throws unless the text is the canonical form of its bytes.
 */
function parseBytes(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  const expected = toBase64(bytes);
  if (expected === text) return bytes;
  throw new TypeError(
    `"bytes" is base64 in another form, expected ${quoteText(expected)}`,
  );
}

function decodeBase64(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (cause) {
    throw new TypeError(`"bytes" is no base64: ${reasonOf(cause)}`, { cause });
  }
}

function parseVersion(version: unknown): number | undefined {
  if (version === undefined) return undefined;
  if (Number.isSafeInteger(version) && version as number >= 1) {
    return version as number;
  }
  throw new RangeError(
    `"version" must be an integer from 1 to ${LAST_NUMBER}, received ${
      describe(version)
    }`,
  );
}
