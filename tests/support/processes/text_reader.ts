/**
 * Reads what a process prints, or a server streams.
 *
 * @module
 */
import { assert } from "@std/assert";

/** Reads a stream of text piece by piece. */
export class TextReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #read = "";

  /** Takes the stream. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The text up to and with this one, once it is there. */
  async until(end: string): Promise<string> {
    for (;;) {
      const index = this.#read.indexOf(end);
      if (index >= 0) {
        const piece = this.#read.slice(0, index + end.length);
        this.#read = this.#read.slice(piece.length);
        return piece;
      }
      const { done, value } = await this.#reader.read();
      assert(!done, `the stream ended before ${JSON.stringify(end)}`);
      this.#read += value;
    }
  }

  /** The next line, less its end. */
  async line(): Promise<string> {
    return (await this.until("\n")).slice(0, -1);
  }

  /** The rest of the text, once the stream has ended. */
  async rest(): Promise<string> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return this.#read;
      this.#read += value;
    }
  }

  /** Cancels the stream. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}
