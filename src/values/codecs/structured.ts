/**
 * The structured codec: what structured cloning keeps, such as dates, maps and
 * bytes.
 *
 * @module
 */
import type { Codec } from "./codec.ts";
import { unrepresentable } from "./unrepresentable.ts";
import { decode } from "./structured/decode.ts";
import { encode } from "./structured/encode.ts";

/**
 * Stores values as V8's structured clone, as Deno KV does.
 *
 * It keeps plain objects, arrays with their holes and named properties, strings,
 * all numbers, BigInts, `undefined` within a value, `Date`, `RegExp`, `Map`, `Set`,
 * `ArrayBuffer` and its views, the objects of primitives, errors with message,
 * stack and cause, and objects that are met twice or contain themselves.
 *
 * Anything else would come back as something else, so this codec throws
 * a `TypeError` that names the place: functions, symbols, instances of classes
 * (also `Buffer` and other subclasses), getters, properties that are named by
 * a symbol or not enumerable, properties of maps, sets, dates, errors and bytes,
 * a `RegExp` whose `lastIndex` is not 0, `AggregateError`, `Proxy`,
 * `SharedArrayBuffer`, buffers that are resizable or detached, and more than
 * 1000 levels. Two things are not kept: an object without a prototype comes back
 * as a plain one, and a frozen object as one that can be changed.
 *
 * Equal values have equal bytes, however the program made them. The order of
 * properties, of entries of a `Map` and of items of a `Set` is kept, and so it
 * is a part of the value. Whether two parts are the same object is a part, too.
 *
 * A view such as a `Uint8Array` keeps the part of its buffer that it sees. Views
 * of one buffer go on sharing it, so all of that buffer is stored.
 *
 * Bytes by another hand are decoded as data only, in memory in proportion to
 * their length. Bytes that are no value are a `SyntaxError`. The format is
 * version 15 of V8's, which `deserialize` of `node:v8` reads.
 *
 * @example
 * ```ts
 * import { structured } from "@zestor/store/structured";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const visit = { at: new Date(0), tags: new Set(["new"]), id: 2n ** 64n };
 * assertEquals(structured.decode(structured.encode(visit)), visit);
 * assertThrows(
 *   () => structured.encode({ run() {} }),
 *   TypeError,
 *   "a function at run",
 * );
 * ```
 */
export const structured: Codec = {
  name: "structured",
  givesOwnBytes: true,
  encode(value: unknown): Uint8Array {
    // Who reads it could not tell it from no entry.
    if (value === undefined) {
      throw unrepresentable("structured", "undefined as a whole value", "");
    }
    return encode(value);
  },
  decode,
};
