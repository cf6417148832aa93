/**
 * The codec interface: how a value becomes the bytes in the file and back.
 *
 * @module
 */

/**
 * Turns values into bytes and back. `decode(encode(value))` must give an equal
 * value: a codec throws on what it cannot keep, it never drops it.
 *
 * Equal values should give equal bytes: a write whose bytes are those already
 * stored is a no-op.
 *
 * @typeParam T The values that the codec takes.
 */
export interface Codec<T = unknown> {
  /**
   * Names the format. A file remembers it, and refuses to be opened with
   * a codec of another name.
   */
  readonly name: string;
  /** Encodes a value. May throw anything; the store raises it as `CodecError`. */
  readonly encode: (value: T) => Uint8Array;
  /**
   * Whether `encode` gives bytes that nothing else holds, nor changes later.
   * Where a codec does not say so, the store copies them.
   */
  readonly givesOwnBytes?: boolean;
  /** Decodes what `encode` made. May throw anything; the store raises it as `CodecError`. */
  readonly decode: (bytes: Uint8Array) => T;
}
