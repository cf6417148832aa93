/**
 * The structured codec. It keeps the values of structured cloning, such as
 * dates, maps and bytes.
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
 * It keeps plain objects, arrays with their holes and named properties,
 * strings, all numbers, BigInts, `undefined` within a value, `Date`, `RegExp`,
 * `Map`, `Set`, `ArrayBuffer` and its views, the objects of primitives, errors
 * with message, stack and cause, and repeated or cyclic references.
 *
 * Any other value would change, so this codec throws a `TypeError` that names
 * the place: for functions, symbols, instances of classes (also `Buffer` and
 * other subclasses), getters, properties that are not enumerable or have a
 * symbol as name, properties of maps, sets, dates, errors and bytes, a `RegExp`
 * whose `lastIndex` is not 0, `AggregateError`, `Proxy`, `SharedArrayBuffer`,
 * buffers that are resizable or detached, and more than 1000 levels. Two things
 * change: an object without a prototype is read as a plain object, and a frozen
 * object as one that is not frozen.
 *
 * Equal values have equal bytes, however the program created them. The value
 * includes the order of properties, of `Map` entries and of `Set` items, and
 * whether two parts are the same object.
 *
 * A view such as a `Uint8Array` keeps only the part of its buffer that it sees.
 * If several views share a buffer, they still share it when they are read, so
 * the whole buffer is stored.
 *
 * Bytes of other programs are decoded as data only. The memory for it is
 * proportional to their length. Invalid bytes are a `SyntaxError`. The format
 * is version 15 of V8's format, which `deserialize` of `node:v8` reads.
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
    // A reader could not distinguish it from a missing entry.
    if (value === undefined) {
      throw unrepresentable("structured", "undefined as a whole value", "");
    }
    return encode(value);
  },
  decode,
};
