/**
 * Bytes as text, by the methods of `Uint8Array`, which Node.js has from version
 * 25 on, else by its `Buffer`.
 *
 * @module
 */

/** What is used of `Buffer`, which is no global in Deno. */
interface Buffers {
  from(source: string, encoding: string): Uint8Array;
  from(
    source: ArrayBufferLike,
    offset: number,
    length: number,
  ): { toString(encoding: string): string };
}

const HAS_METHODS = "toBase64" in Uint8Array.prototype;

function buffers(): Buffers {
  return (globalThis as unknown as { Buffer: Buffers }).Buffer;
}

function textOf(bytes: Uint8Array, encoding: string): string {
  const { buffer, byteOffset, byteLength } = bytes;
  return buffers().from(buffer, byteOffset, byteLength).toString(encoding);
}

function bytesOf(text: string, encoding: string): Uint8Array {
  // Not as a `Buffer`, and not a part of its pool.
  return new Uint8Array(buffers().from(text, encoding));
}

/** The base64 of bytes, with padding. */
export function toBase64(bytes: Uint8Array): string {
  return HAS_METHODS ? bytes.toBase64() : textOf(bytes, "base64");
}

/** The base64 of bytes for URLs, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return HAS_METHODS
    ? bytes.toBase64({ alphabet: "base64url", omitPadding: true })
    : textOf(bytes, "base64url");
}

/** The bytes of a base64. Throws a `SyntaxError` if it has other characters. */
export function fromBase64(text: string): Uint8Array {
  if (HAS_METHODS) return Uint8Array.fromBase64(text);
  if (!/^[\w+/\s]*[=\s]*$/.test(text) || text.includes("_")) {
    throw new SyntaxError("it has characters that base64 does not have");
  }
  return bytesOf(text, "base64");
}

/** Bytes as hexadecimal digits, in lower case. */
export function toHex(bytes: Uint8Array): string {
  return HAS_METHODS ? bytes.toHex() : textOf(bytes, "hex");
}

/** The bytes of hexadecimal digits. */
export function fromHex(digits: string): Uint8Array {
  return HAS_METHODS ? Uint8Array.fromHex(digits) : bytesOf(digits, "hex");
}
