/// <reference lib="dom" />
/**
 * The past changes of a key, from the newest to the oldest. New ones are added
 * as they happen.
 *
 * @module
 */
import type { ApiError, ChangesPage, Language, PastChange } from "../../api.ts";
import { Cell } from "./cell.ts";
import { errorOf, read } from "./client.ts";
import { epoch, onChanges } from "./live.ts";

/** The number of changes in a page, and the longest text of a value. */
const PAGE = { limit: 20, text: 20_000 };

/** The least pause between two readings, in ms. */
const PAUSE = 300;

/** The known history of a key. */
export interface Past {
  readonly changes: readonly PastChange[];
  /** `before` of the next page; absent at the end of the log. */
  readonly next?: number;
  readonly isLoading: boolean;
  readonly error?: ApiError;
}

/** The history of a key. */
export class KeyHistory {
  readonly past: Cell<Past> = new Cell<Past>({ changes: [], isLoading: true });
  readonly #query: object;
  readonly #stops: (() => void)[];
  readonly #ending = new AbortController();
  #timer?: ReturnType<typeof setTimeout>;

  constructor(kind: string, key: string, language?: Language) {
    this.#query = { kind, key, language, ...PAGE };
    this.#stops = [
      epoch.subscribe(() => this.#later()),
      onChanges((changes) => {
        const isMine = changes.some((change) =>
          change.key === key && change.kind === kind
        );
        if (isMine) this.#later();
      }),
    ];
    this.#load();
  }

  /** Reads the next, older page. */
  async loadOlder(): Promise<void> {
    const { changes, next } = this.past.value;
    if (next === undefined) return;
    await this.#read(next, (page) => ({
      changes: [...changes, ...page.changes],
      next: page.next,
    }));
  }

  /** Stops following the store. */
  close(): void {
    this.#ending.abort();
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#load();
    }, PAUSE);
  }

  #load(): Promise<void> {
    return this.#read(undefined, (page) => {
      const { changes, next } = this.past.value;
      const oldest = page.changes.at(-1)?.revision ?? Infinity;
      const known = changes.findIndex(({ revision }) => revision < oldest);
      const hasMet = changes.some(({ revision }) => revision === oldest);
      // If there is a gap between the pages, the older ones are read again on
      // demand.
      return known < 0 || !hasMet
        ? page
        : { changes: [...page.changes, ...changes.slice(known)], next };
    });
  }

  async #read(
    before: number | undefined,
    merge: (page: ChangesPage) => ChangesPage,
  ): Promise<void> {
    const { signal } = this.#ending;
    this.past.value = { ...this.past.value, isLoading: true };
    try {
      const query = { ...this.#query, before };
      const page = await read<ChangesPage>("api/changes", query, signal);
      this.past.value = { ...merge(page), isLoading: false };
    } catch (error) {
      if (signal.aborted) return;
      this.past.value = {
        ...this.past.value,
        isLoading: false,
        error: errorOf(error),
      };
    }
  }
}
