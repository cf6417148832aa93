/**
 * The interface of codecs, which convert values to stored bytes and back.
 *
 * @module
 */

/**
 * Turns values into bytes and back. `decode(encode(value))` must give an equal
 * value. If a codec cannot keep a value, it throws; it never drops a part.
 *
 * Equal values should give equal bytes, because a write of the stored bytes is
 * a no-op.
 *
 * @typeParam T The values that the codec takes.
 *
 * @example
 * ```ts
 * import { type Codec, openStore } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * const text: Codec<string> = {
 *   name: "text",
 *   encode: (value) => new TextEncoder().encode(value),
 *   givesOwnBytes: true,
 *   decode: (bytes) => new TextDecoder().decode(bytes),
 * };
 *
 * await using store = await openStore<{ notes: string }>({
 *   path: ":memory:",
 *   codec: text,
 * });
 * await store.set("notes", "hello", "world");
 * assertEquals(await store.get("notes", "hello"), "world");
 * ```
 */
export interface Codec<T = unknown> {
  /**
   * The name of the format. The store notes it in the file, and refuses to open
   * the file with a codec of another name.
   */
  readonly name: string;
  /** Encodes a value. The store wraps any error that it throws in a `CodecError`. */
  readonly encode: (value: T) => Uint8Array;
  /**
   * Whether `encode` returns new bytes at each call, which nobody changes later.
   * If it does not, the store copies them.
   * @default {false}
   */
  readonly givesOwnBytes?: boolean;
  /** Decodes the bytes of `encode`. The store wraps any error that it throws in a `CodecError`. */
  readonly decode: (bytes: Uint8Array) => T;
}
