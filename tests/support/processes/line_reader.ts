/**
 * Reads what a process prints, line by line.
 *
 * @module
 */

/** The lines of a stream of text. */
export class LineReader {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  /** Takes the stream. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line, less its end; throws where the stream ends before that. */
  async line(): Promise<string> {
    while (!this.#rest.includes("\n")) {
      const { value } = await this.#reader.read();
      if (value === undefined) {
        throw new Error(`The stream ended in ${JSON.stringify(this.#rest)}`);
      }
      this.#rest += value;
    }
    const [line] = this.#rest.split("\n", 1);
    this.#rest = this.#rest.slice(line.length + 1);
    return line;
  }

  /** What is left, when the stream has ended. */
  async rest(): Promise<string> {
    for (;;) {
      const { value } = await this.#reader.read();
      if (value === undefined) return this.#rest;
      this.#rest += value;
    }
  }

  /** Closes the pipe. */
  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}
