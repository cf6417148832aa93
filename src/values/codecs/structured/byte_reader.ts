/**
 * Reads the scalars of the format from untrusted bytes.
 *
 * The invariant: the size of an allocation is at most a constant times the
 * number of bytes left.
 *
 * @module
 */
import { toHex } from "../../../base/byte_texts.ts";
import { Tag } from "./format.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const utf16 = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true });

/**
 * Up to this length, making a string of characters is faster than a call of a
 * decoder. It is also the number of characters for one call.
 */
const SHORT = 64;

/** Reads bytes, from the first to the last. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** Takes the bytes. They are never changed, and the results never share them. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The number of bytes left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The error for invalid bytes. Its message has the index of the byte. */
  error(problem: string): SyntaxError {
    return new SyntaxError(`${problem} (before byte ${this.#at})`);
  }

  /** Throws if fewer bytes are left. */
  need(count: number): void {
    if (count > this.left) throw this.error("the bytes end too early");
  }

  /** Reads one byte. */
  byte(): number {
    this.need(1);
    return this.#bytes[this.#at++];
  }

  /** The next tag, without reading it; absent at the end. */
  peekTag(): number | undefined {
    while (this.#bytes[this.#at] === Tag.padding) this.#at++;
    return this.#bytes[this.#at];
  }

  /** Reads a tag. */
  tag(): number {
    this.peekTag();
    return this.byte();
  }

  /** Reads an integer from 0 to 2^32 - 1. */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte > 0x7f) continue;
      if (value < 2 ** 32) return value;
      break;
    }
    throw this.error("an integer is larger than 32 bits");
  }

  /** Reads a signed integer. */
  int32(): number {
    const value = this.varint();
    return value >>> 1 ^ -(value & 1);
  }

  /** Reads the 8 bytes of a number. */
  double(): number {
    this.need(8);
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** Reads a BigInt. */
  bigint(): bigint {
    const field = this.varint();
    const digits = toHex(this.raw(field >>> 1).reverse());
    const value = BigInt(`0x${digits || "0"}`);
    return field % 2 === 1 ? -value : value;
  }

  /** Reads a string, with its tag. */
  string(): string {
    const tag = this.tag();
    const text = this.text(tag);
    if (text === undefined) throw this.error("a string is missing");
    return text;
  }

  /** Reads a string whose tag has been read. Returns nothing if the tag is that of another type. */
  text(tag: number): string | undefined {
    switch (tag) {
      case Tag.latin1:
        return textOf(this.#next(this.varint()));
      case Tag.utf16:
        return this.#utf16();
      case Tag.utf8:
        return this.#utf8();
    }
    return undefined;
  }

  /** Reads this many bytes into a new buffer. */
  raw(count: number): Uint8Array<ArrayBuffer> {
    return this.#next(count).slice();
  }

  #utf8(): string {
    const bytes = this.#next(this.varint());
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.error("a string is not UTF-8");
    }
  }

  #utf16(): string {
    const size = this.varint();
    if (size % 2 === 1) throw this.error("a string ends within a character");
    // A copy begins at an even index.
    return textOf(new Uint16Array(this.raw(size).buffer));
  }

  #next(count: number): Uint8Array<ArrayBuffer> {
    this.need(count);
    const start = this.#at;
    this.#at += count;
    return this.#bytes.subarray(start, this.#at) as Uint8Array<ArrayBuffer>;
  }
}

/** The text of characters. No decoder reads Latin-1: the name means Windows-1252 there. */
function textOf(characters: Uint8Array | Uint16Array): string {
  if (characters.length <= SHORT) return fromCharacters(characters);
  try {
    return utf16.decode(new Uint16Array(characters));
  } catch {
    // The text contains a lone surrogate.
    return fromCharacters(characters);
  }
}

function fromCharacters(characters: Uint8Array | Uint16Array): string {
  const parts: string[] = [];
  for (let at = 0; at < characters.length; at += SHORT) {
    const part = characters.subarray(at, at + SHORT);
    parts.push(String.fromCharCode.apply(null, part as unknown as number[]));
  }
  return parts.join("");
}
