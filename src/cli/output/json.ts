/**
 * Values as JSON text, or an error that names a format for them.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { stringifyJson } from "../../values/codecs/json.ts";
import { multipliesWithoutEnd } from "../../values/parts.ts";
import { UsageError } from "../errors.ts";
import type { CodecName } from "../stores/codecs.ts";
import type { ToJson } from "./formats.ts";

/** The function that converts the values of a codec to JSON. */
export function toJsonOf(codec: CodecName): ToJson {
  // A value decoded from JSON needs no check; other codecs keep more.
  const toText: ToJson = codec === "json"
    ? (value, indent) => JSON.stringify(value, null, indent)
    : textOfAny;
  return (value, indent) => {
    try {
      return toText(value, indent);
    } catch (cause) {
      throw new UsageError(
        `Cannot print as JSON: ${reasonOf(cause)}; use --format yaml`,
        { cause },
      );
    }
  };
}

function textOfAny(value: unknown, indent?: number): string {
  if (multipliesWithoutEnd(value)) {
    throw new TypeError(
      "its text would have no end, or be far too long, because objects repeat in it",
    );
  }
  return stringifyJson(value, indent);
}
