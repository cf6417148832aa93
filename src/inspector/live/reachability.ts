/**
 * Finds out whether a store's server can be reached. A watch silently waits for
 * the server, so this module asks it. It asks once for all browsers, and only
 * while there are any.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { sleep } from "../../base/slice.ts";
import type { Inspection } from "../../store/inspection.ts";

/** How often the server is asked, in ms. */
const ASK_MS = 2_000;

/** Why the store cannot be reached; `undefined` if it can. */
export type Problem = string | undefined;

/** Called whenever this changes. */
export type Listener = (problem: Problem) => void;

/** The reachability of one store. */
export class Reachability {
  readonly #inspection: Inspection;
  readonly #listeners = new Set<Listener>();
  #stop: AbortController | undefined;
  #problem: Problem;

  /** Takes the store. */
  constructor(inspection: Inspection) {
    this.#inspection = inspection;
  }

  /** Tells a listener of each change, until the result is disposed of. */
  listen(listener: Listener): Disposable {
    // A store in this process or in a file can always be reached.
    if (!this.#inspection.engine.log.canBePutBack) {
      return { [Symbol.dispose]() {} };
    }
    this.#listeners.add(listener);
    if (this.#problem !== undefined) listener(this.#problem);
    if (!this.#stop) {
      this.#stop = new AbortController();
      this.#ask(this.#stop.signal);
    }
    return { [Symbol.dispose]: () => this.#remove(listener) };
  }

  #remove(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#stop?.abort();
    this.#stop = undefined;
    this.#problem = undefined;
  }

  async #ask(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const problem = await this.#problemNow();
      if (stop.aborted) return;
      if ((problem === undefined) !== (this.#problem === undefined)) {
        this.#problem = problem;
        for (const listener of this.#listeners) listener(problem);
      }
      // The pause ends early when nobody listens any more.
      await sleep(ASK_MS, stop, false).catch(() => {});
    }
  }

  async #problemNow(): Promise<Problem> {
    const { read, engine } = this.#inspection;
    try {
      await read("reach the store", () => engine.log.oldest());
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  }
}
