/**
 * The stream of a mirror's changes. It has no queue. It keeps one difference
 * for its consumer, and makes the patches when the consumer asks for them.
 *
 * @module
 */
import type { MirrorChange } from "../../contract/mirror.ts";
import { Differences } from "./differences.ts";
import type { Items } from "./items.ts";

/** The parts of a stream of changes. */
export interface ChangesSource<T> {
  readonly items: Items<T>;
  /** The mirror's revision. */
  revision(): number;
  /** Called when the stream has ended, for any reason. */
  onEnd(stream: ChangesStream<T>): void;
}

/** A stream of a mirror's changes. */
export class ChangesStream<T> {
  /** The stream that the consumer reads. */
  readonly readable: ReadableStream<MirrorChange<T>>;
  /** The changes that the consumer has yet to see. */
  readonly differences: Differences<T>;
  readonly #source: ChangesSource<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.close();
  #controller!: ReadableStreamDefaultController<MirrorChange<T>>;
  #isWanted = false;
  #hasEnded = false;

  /** Begins the stream, at the present state or before the first entry. */
  constructor(
    source: ChangesSource<T>,
    isNew: boolean,
    signal: AbortSignal | undefined,
  ) {
    this.#source = source;
    this.#signal = signal;
    this.differences = new Differences(source.items, isNew);
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => {
        this.#isWanted = true;
        this.tell();
      },
      cancel: () => {
        this.#end();
      },
    }, { highWaterMark: 0 });
    if (signal?.aborted) this.close();
    else signal?.addEventListener("abort", this.#onAbort);
  }

  /**
   * Gives the consumer the present difference, if the consumer waits for one.
   */
  tell(): void {
    if (!this.#isWanted || this.#hasEnded || !this.differences.isAny) return;
    this.#isWanted = false;
    this.#controller.enqueue({
      revision: this.#source.revision(),
      patches: this.differences.take(),
    });
  }

  /** Closes it. */
  close(): void {
    if (this.#end()) this.#controller.close();
  }

  /** Makes the stream fail. */
  fail(error: unknown): void {
    if (this.#end()) this.#controller.error(error);
  }

  /** Returns true to the first caller, who then ends the stream. */
  #end(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#source.onEnd(this);
    return true;
  }
}
