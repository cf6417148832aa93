/**
 * The structured codec: values that JSON has no form for, as V8's structured
 * clone.
 *
 * @module
 */
import type { Codec } from "./codec.ts";
import { decode } from "./structured/decode.ts";
import { encode } from "./structured/encode.ts";

export const structured: Codec = {
  name: "structured",
  givesOwnBytes: true,
  encode,
  decode,
};
