/// <reference lib="dom" />
/**
 * The entry in the panel, which follows the store.
 *
 * @module
 */
import type { ApiError, EntryAnswer, Language } from "../../api.ts";
import { Cell } from "./cell.ts";
import { errorOf, read } from "./client.ts";
import { epoch, onChanges } from "./live.ts";

/** The least pause between two readings of an entry that changes, in ms. */
const PAUSE = 200;

/** Which entry. */
export interface EntryName {
  readonly kind: string;
  readonly key: string;
  readonly at?: number;
  /** Absent: the language of the kind. */
  readonly language?: Language;
  /** The longest text, in UTF-16 units. Absent: the server's default. */
  readonly text?: number;
}

/** The known state of the entry. */
export interface ShownEntry {
  readonly name: EntryName;
  /** The entry. If it is gone, its last state. */
  readonly entry?: EntryAnswer;
  /** Whether the store has no such entry. */
  readonly isMissing: boolean;
  readonly isLoading: boolean;
  readonly error?: ApiError;
}

/** An entry that follows the store. */
export class Entry {
  readonly shown: Cell<ShownEntry>;
  readonly #stops: (() => void)[];
  #reading?: AbortController;
  #timer?: ReturnType<typeof setTimeout>;

  constructor(name: EntryName) {
    this.shown = new Cell<ShownEntry>({
      name,
      isMissing: false,
      isLoading: true,
    });
    this.#stops = [
      epoch.subscribe(() => this.#later()),
      onChanges((changes) => {
        const { kind, key, at } = this.shown.value.name;
        if (at !== undefined) return;
        const isMine = changes.some((change) =>
          change.key === key && change.kind === kind
        );
        if (isMine) this.#later();
      }),
    ];
    this.load();
  }

  /** Shows another entry, or this one at another time or in another language. */
  show(name: EntryName): void {
    const { name: before, entry } = this.shown.value;
    const isSame = before.kind === name.kind && before.key === name.key;
    this.shown.value = {
      name,
      entry: isSame ? entry : undefined,
      isMissing: false,
      isLoading: true,
    };
    this.load();
  }

  /** Reads the entry again. */
  async load(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#reading?.abort();
    const { signal } = this.#reading = new AbortController();
    const { name } = this.shown.value;
    try {
      const entry = await read<EntryAnswer>("api/entry", name, signal);
      this.shown.value = { name, entry, isMissing: false, isLoading: false };
    } catch (thrown) {
      if (signal.aborted) return;
      const error = errorOf(thrown);
      const isMissing = error.code === "NOT_FOUND";
      this.shown.value = {
        ...this.shown.value,
        isLoading: false,
        isMissing,
        error: isMissing ? undefined : error,
      };
    }
  }

  /** Stops following the store. */
  close(): void {
    this.#reading?.abort();
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
  }

  #later(): void {
    this.#timer ??= setTimeout(() => this.load(), PAUSE);
  }
}
