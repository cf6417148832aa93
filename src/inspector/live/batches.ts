/**
 * The changes of a watch in batches: those that are available, or come within a
 * moment. It reads the watch only on request, so a browser that does not read
 * costs nothing.
 *
 * @module
 */
import type { StoredEvent } from "../../store/inspection.ts";

/** How long a batch waits for more after its first change, in ms. */
const GATHER_MS = 20;

/** The largest number of events in a batch, and about the largest number of bytes of values. */
const MOST_EVENTS = 256;
const MOST_BYTES = 256 * 1024;

/** Events in order. Empty at the end of the watch. */
export type Batch = readonly StoredEvent[];

/** Reads a watch in batches. */
export class Batches {
  readonly #reader: ReadableStreamDefaultReader<StoredEvent>;
  /** A read whose result has not been used yet. */
  #pending: Promise<ReadableStreamReadResult<StoredEvent>> | undefined;

  /** Takes over the stream of a watch. */
  constructor(watch: ReadableStream<StoredEvent>) {
    this.#reader = watch.getReader();
  }

  /** The next events; empty if the watch has ended. Rejects if the watch fails. */
  async next(): Promise<Batch> {
    const first = await this.#read();
    this.#pending = undefined;
    if (first.done) return [];
    const batch = [first.value];
    let bytes = bytesOf(first.value);
    // Node.js 22 has no `using`.
    const deadline = timeout(GATHER_MS);
    try {
      while (batch.length < MOST_EVENTS && bytes < MOST_BYTES) {
        // What ends or fails now is told by the next call.
        const read = this.#read().catch(() => undefined);
        const next = await Promise.race([read, deadline.passed]);
        if (!next || next.done) break;
        this.#pending = undefined;
        batch.push(next.value);
        bytes += bytesOf(next.value);
      }
      return batch;
    } finally {
      deadline[Symbol.dispose]();
    }
  }

  #read(): Promise<ReadableStreamReadResult<StoredEvent>> {
    if (this.#pending) return this.#pending;
    const pending = this.#pending = this.#reader.read();
    pending.catch(() => {});
    return pending;
  }

  /** Ends the watch. */
  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}

function bytesOf(event: StoredEvent): number {
  return event.type === "bookmark" ? 0 : event.value.length;
}

interface Deadline extends Disposable {
  readonly passed: Promise<undefined>;
}

function timeout(ms: number): Deadline {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  return {
    passed: promise,
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
