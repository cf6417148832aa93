/// <reference lib="dom" />
/**
 * The number of entries in a range.
 *
 * @module
 */
import type { CountAnswer, LiveChange, RangeQuery } from "../../api.ts";
import { Cell } from "./cell.ts";
import { read } from "./client.ts";
import { isInRange } from "./keys_order.ts";
import { epoch, onChanges } from "./live.ts";

/** The pause before the range is counted again after a change, in ms. */
const PAUSE = 2_000;

/** The count of a range, which is counted again after changes. */
export class RangeCount {
  readonly answer: Cell<CountAnswer | undefined> = new Cell<
    CountAnswer | undefined
  >(undefined);
  readonly #query: RangeQuery;
  readonly #stops: (() => void)[];
  readonly #ending = new AbortController();
  #timer?: ReturnType<typeof setTimeout>;

  constructor(query: RangeQuery) {
    this.#query = query;
    this.#stops = [
      epoch.subscribe(() => this.#later()),
      onChanges((changes) => {
        if (changes.some((change) => this.#concerns(change))) this.#later();
      }),
    ];
    this.#count();
  }

  /** Ends the counting. */
  close(): void {
    this.#ending.abort();
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
  }

  #concerns({ kind, key, type }: LiveChange): boolean {
    return this.#query.at === undefined && type !== "update" &&
      kind === this.#query.kind && isInRange(key, this.#query);
  }

  #later(): void {
    this.#timer ??= setTimeout(() => this.#count(), PAUSE);
  }

  async #count(): Promise<void> {
    try {
      this.answer.value = await read(
        "api/count",
        this.#query,
        this.#ending.signal,
      );
    } catch {
      // The table shows the reason if the server does not answer.
    } finally {
      this.#timer = undefined;
    }
  }
}
