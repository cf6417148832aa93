/**
 * Writes the scalars of the format into growing bytes.
 *
 * The invariant: equal scalars have equal bytes, however the engine represents
 * them.
 *
 * @module
 */
import { fromHex } from "../../../base/byte_texts.ts";
import { Tag } from "./format.ts";

const encoder = new TextEncoder();

/** Up to this length, a loop is faster than a call of the encoder. In UTF-16 units. */
const SHORT = 32;

/** Writes bytes. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** The written bytes, in a buffer of their own. Nothing can be written afterwards. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer.transfer(this.#length));
  }

  /** Writes one byte. */
  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  /** Writes an integer from 0 to 2^32 - 1, 7 bits in each byte. */
  varint(value: number): void {
    this.#reserve(5);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = rest & 0x7f | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Writes the 8 bytes of a number. */
  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Writes a number with its tag. */
  number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.byte(Tag.int32);
      this.varint((value << 1 ^ value >> 31) >>> 0);
    } else {
      this.byte(Tag.double);
      this.double(value);
    }
  }

  /** Writes a BigInt without a tag: its sign, the number of its bytes, then the bytes. */
  bigint(value: bigint): void {
    const hex = (value < 0n ? -value : value).toString(16);
    // V8 writes digits of 64 bits.
    const digits = value === 0n
      ? ""
      : hex.padStart(Math.ceil(hex.length / 16) * 16, "0");
    this.varint(digits.length | (value < 0n ? 1 : 0));
    this.raw(fromHex(digits).reverse());
  }

  /** Writes a string with its tag: one byte a character if that is enough, else two. */
  string(text: string): void {
    if (this.#latin1(text)) return;
    const size = text.length * 2;
    // V8 reads the characters in place, so they begin at an even index.
    const start = this.#length + 1 + varintLength(size);
    if (start % 2 === 1) this.byte(Tag.padding);
    this.byte(Tag.utf16);
    this.varint(size);
    this.#reserve(size);
    for (let i = 0; i < text.length; i++) {
      this.#view.setUint16(this.#length + 2 * i, text.charCodeAt(i), true);
    }
    this.#length += size;
  }

  /** Writes bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes nothing if a character does not fit one byte. */
  #latin1(text: string): boolean {
    const start = this.#length;
    this.byte(Tag.latin1);
    this.varint(text.length);
    this.#reserve(text.length);
    if (text.length > SHORT && this.#ascii(text)) return true;
    for (let i = 0; i < text.length; i++) {
      const character = text.charCodeAt(i);
      if (character > 0xff) {
        this.#length = start;
        return false;
      }
      this.#bytes[this.#length + i] = character;
    }
    this.#length += text.length;
    return true;
  }

  #ascii(text: string): boolean {
    const room = this.#bytes.subarray(this.#length, this.#length + text.length);
    // Every other character takes more than one byte.
    if (encoder.encodeInto(text, room).read < text.length) return false;
    this.#length += text.length;
    return true;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length++;
  return length;
}
