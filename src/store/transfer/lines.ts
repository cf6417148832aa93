/**
 * The lines of a stream, whatever its chunks are.
 *
 * The invariant: no more is in memory than a chunk, and the line that it ends
 * in the middle of; a line that is too long for that is dropped as it comes.
 *
 * @module
 */
import { describe, reasonOf } from "../../base/messages.ts";
import { StoreTooLargeError } from "../../contract/errors.ts";

/** The longest line, in bytes: V8's strings hold 2^29 characters, and some for its parts. */
const LONGEST_LINE = 2 ** 28;

const LINE_FEED = 0x0a;

/** A line of a stream. */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Without the line feed; where it cannot be had, why. */
  readonly text: string | Error;
}

const encoder = new TextEncoder();
// A byte order mark stays, so that nothing in a line is dropped in silence.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A byte that is in no UTF-8. */
const NO_TEXT = new Uint8Array([0xff]);

/** Makes lines of chunks. */
export class LineSplitter {
  readonly #line: LineBuffer;
  #number = 0;
  /** The first half of a character that the last chunk, which was text, ended in. */
  #half = "";

  /** Takes how long a line may be, in bytes. */
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

  /** A byte order mark may begin the stream, and nothing else. */
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
    // The encoder would make the same character of every lone surrogate.
    return whole.split(/\p{Surrogate}/u).flatMap((part, i) =>
      i === 0 ? [encoder.encode(part)] : [NO_TEXT, encoder.encode(part)]
    );
  }
}

/** The line that is being read. */
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
    // A copy: whoever gave the chunk may use its memory again.
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
