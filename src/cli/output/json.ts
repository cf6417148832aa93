/**
 * Values as JSON text, or an error that says which format shows them.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { stringifyJson } from "../../values/codecs/json.ts";
import { multipliesWithoutEnd } from "../../values/parts.ts";
import { UsageError } from "../errors.ts";
import type { CodecName } from "../stores/codecs.ts";
import type { ToJson } from "./formats.ts";

/** What makes JSON of the values of a codec. */
export function toJsonOf(codec: CodecName): ToJson {
  // A value that was decoded from JSON is JSON; other codecs keep more.
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
    throw new TypeError("objects that come up again and again have no end");
  }
  return stringifyJson(value, indent);
}
