/**
 * Codecs by their names.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import type { Codec } from "../../values/codecs/codec.ts";
import { exactJson } from "../../values/codecs/exact_json.ts";
import { UsageError } from "../errors.ts";

/** The names of the codecs. */
export const CODECS = ["json", "yaml", "structured"] as const;

/** The name of a codec. */
export type CodecName = typeof CODECS[number];

/** Throws `UsageError` if the codec of a name cannot encode a value. */
export async function assertEncodable(
  value: unknown,
  codec: CodecName,
): Promise<void> {
  const { encode } = await codecNamed(codec);
  try {
    encode(value);
  } catch (cause) {
    throw new UsageError(
      `Cannot write the value with the codec "${codec}": ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** The codec with a name. Only the used one is loaded. */
export async function codecNamed(name: CodecName): Promise<Codec> {
  switch (name) {
    case "json":
      return exactJson;
    case "yaml":
      return (await import("../../values/codecs/yaml.ts")).yaml;
    case "structured":
      return (await import("../../values/codecs/structured.ts")).structured;
  }
}
