/**
 * The lines of a stream, whatever its chunks are.
 *
 * The invariant: no more is in memory than a chunk, and the line that it ends
 * in the middle of; a line that is too long for that is dropped as it comes.
 *
 * @module
 */
import { describe, reasonOf } from "../errors.ts";

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
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads a stream's lines; cancels it where they are not read to the end. */
export async function* linesOf(
  stream: ReadableStream<Uint8Array | string>,
  longest = LONGEST_LINE,
): AsyncGenerator<Line, void> {
  const line = new LineBuffer(longest);
  let number = 0;
  for await (const chunk of stream) {
    const bytes = bytesOf(chunk);
    let start = 0;
    for (let end; (end = bytes.indexOf(LINE_FEED, start)) >= 0;) {
      line.add(bytes.subarray(start, end));
      yield { number: ++number, text: line.take() };
      start = end + 1;
    }
    line.add(bytes.subarray(start));
  }
  if (line.length > 0) yield { number: ++number, text: line.take() };
}

function bytesOf(chunk: unknown): Uint8Array {
  if (typeof chunk === "string") return encoder.encode(chunk);
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError(
    `Cannot import: the stream's chunks are bytes or text, received ${
      describe(chunk)
    }`,
  );
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
      return new RangeError(
        `it has ${length} bytes, more than the ${this.#longest} that are read at once`,
      );
    }
    try {
      return decoder.decode(joined(parts, length));
    } catch (cause) {
      return new TypeError(`it is no UTF-8: ${reasonOf(cause)}`, { cause });
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
