/**
 * The stream of a mirror's changes. It has no queue: what its consumer has yet
 * to see is one difference, made when the consumer asks for it.
 *
 * @module
 */
import type { MirrorChange } from "../../contract/mirror.ts";
import { Differences } from "./differences.ts";
import type { Items } from "./items.ts";

/** What a stream of changes is made of. */
export interface ChangesSource<T> {
  readonly items: Items<T>;
  /** The mirror's revision. */
  revision(): number;
  /** Called when the stream has ended, for whatever reason. */
  onEnd(stream: ChangesStream<T>): void;
}

/** A stream of a mirror's changes. */
export class ChangesStream<T> {
  /** What the consumer reads. */
  readonly readable: ReadableStream<MirrorChange<T>>;
  /** What the consumer has yet to see. */
  readonly differences: Differences<T>;
  readonly #source: ChangesSource<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.close();
  #controller!: ReadableStreamDefaultController<MirrorChange<T>>;
  #isWanted = false;
  #hasEnded = false;

  /** Begins it, at the state of now or before the first entry. */
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

  /** Gives the consumer what there is, if it waits for it. */
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

  /** Makes it fail. */
  fail(error: unknown): void {
    if (this.#end()) this.#controller.error(error);
  }

  /** True for the first caller: the one who tells the consumer. */
  #end(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#source.onEnd(this);
    return true;
  }
}
