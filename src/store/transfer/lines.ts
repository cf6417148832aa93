/**
 * Splits a stream into lines, for any kind of chunks.
 *
 * The invariant: memory holds one chunk, and the unfinished line at its end. A
 * line that is too long is dropped while it is read.
 *
 * @module
 */
import { describe, reasonOf } from "../../base/messages.ts";
import { StoreTooLargeError } from "../../contract/errors.ts";

/**
 * The longest line, in bytes. Strings of V8 hold at most 2^29 characters, and
 * the parts of the line need some of them.
 */
const LONGEST_LINE = 2 ** 28;

const LINE_FEED = 0x0a;

/** A line of a stream. */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** The text without the line feed, or the reason why it cannot be decoded. */
  readonly text: string | Error;
}

const encoder = new TextEncoder();
// The decoder keeps a byte order mark, so that no part of a line is dropped
// silently.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A byte that never occurs in UTF-8. */
const NO_TEXT = new Uint8Array([0xff]);

/** Makes lines of chunks. */
export class LineSplitter {
  readonly #line: LineBuffer;
  #number = 0;
  /** The first half of a surrogate pair, at the end of the last text chunk. */
  #half = "";

  /** Takes the length of the longest line, in bytes. */
  constructor(longest = LONGEST_LINE) {
    this.#line = new LineBuffer(longest);
  }

  /** The lines that end in a chunk. */
  *add(chunk: unknown): Generator<Line, void> {
    for (const bytes of this.#bytesOf(chunk)) yield* this.#split(bytes);
  }

  /** The last line, if no line feed ends it. */
  *end(): Generator<Line, void> {
    if (this.#half !== "") this.#line.add(NO_TEXT);
    if (this.#line.length > 0) yield this.#take();
  }

  *#split(bytes: Uint8Array): Generator<Line, void> {
    let start = 0;
    for (let end; (end = bytes.indexOf(LINE_FEED, start)) >= 0;) {
      this.#line.add(bytes.subarray(start, end));
      yield this.#take();
      start = end + 1;
    }
    this.#line.add(bytes.subarray(start));
  }

  #take(): Line {
    const text = this.#line.take();
    this.#number++;
    return { number: this.#number, text: this.#withoutMark(text) };
  }

  /** A byte order mark is allowed only at the beginning of the stream. */
  #withoutMark(text: string | Error): string | Error {
    return this.#number === 1 && typeof text === "string" &&
        text.startsWith("\ufeff")
      ? text.slice(1)
      : text;
  }

  #bytesOf(chunk: unknown): Uint8Array[] {
    if (typeof chunk === "string") return this.#bytesOfText(chunk);
    if (!(chunk instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot import: the stream's chunks are bytes or text, received ${
          describe(chunk)
        }`,
      );
    }
    if (this.#half === "") return [chunk];
    this.#half = "";
    return [NO_TEXT, chunk];
  }

  #bytesOfText(chunk: string): Uint8Array[] {
    const text = this.#half + chunk;
    const whole = /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
    this.#half = text.slice(whole.length);
    if (whole.isWellFormed()) return [encoder.encode(whole)];
    // The encoder would replace every lone surrogate by the same character.
    return whole.split(/\p{Surrogate}/u).flatMap((part, i) =>
      i === 0 ? [encoder.encode(part)] : [NO_TEXT, encoder.encode(part)]
    );
  }
}

/** The present, unfinished line. */
class LineBuffer {
  readonly #longest: number;
  #parts: Uint8Array[] = [];
  length = 0;

  constructor(longest: number) {
    this.#longest = longest;
  }

  add(part: Uint8Array): void {
    if (part.length === 0) return;
    this.length += part.length;
    // A copy, because the owner of the chunk may reuse its memory.
    if (this.length <= this.#longest) this.#parts.push(part.slice());
    else this.#parts = [];
  }

  take(): string | Error {
    const { length } = this;
    const parts = this.#parts;
    this.#parts = [];
    this.length = 0;
    if (length > this.#longest) {
      return new StoreTooLargeError(
        `Cannot read a line of ${length} bytes: the limit is ${this.#longest} bytes; split its value`,
      );
    }
    try {
      return decoder.decode(joined(parts, length));
    } catch (cause) {
      return new TypeError(
        `it is no UTF-8, or holds a lone surrogate: ${reasonOf(cause)}`,
        { cause },
      );
    }
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
