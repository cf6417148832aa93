/**
 * Reads of many entries of a kind: page by page, and in slices.
 *
 * The invariants:
 * - What is read at once (`list`, `keys`, …) is as of one moment. What fits
 *   a page is read by one call; more is read by pages in one read transaction,
 *   between which the event loop turns.
 * - What is streamed has one page in memory.
 *
 * @module
 */
import type { Entry, KeyValue } from "../contract/entry.ts";
import { describe, quoteText } from "../base/messages.ts";
import { ALL_KEYS, type KeyRange, type Selection } from "../keys/key_range.ts";
import type { Pages } from "../base/paged_stream.ts";
import { isPromise, type MaybePromise } from "../base/promises.ts";
import { runInSlices, Slice } from "../base/slice.ts";
import {
  type Page,
  PAGE_BYTES,
  PAGE_ENTRIES,
  type PageOptions,
} from "../engine/page.ts";
import type { Entries, StoredEntry, StoredValue } from "../local/storage.ts";
import type { Values } from "../values/values.ts";

/** How the pages are read of what is collected whole: larger, since all of it is kept. */
const COLLECTED = { limit: 4 * PAGE_ENTRIES, bytes: 4 * PAGE_BYTES };

/** How many bytes are decoded before the time is looked at; an entry counts as some. */
const DECODED_BYTES = 32 * 1024;
const DECODED_ENTRY = 512;

/** Reads the next page of a range. */
type ReadPage<T> = (rest: KeyRange, page: PageOptions) => Page<T>;

/** How reads take their turn. */
export interface ReadTurns {
  /** Runs one read. */
  read<T>(work: () => T): MaybePromise<T>;
  /**
   * Runs a read at once, if it gives something, else one of several steps, as of
   * one moment; both again if a lock gets in the way.
   */
  readAtOnceOrInSlices<T>(
    readAtOnce: () => T | undefined,
    read: () => Generator<void, T>,
  ): Promise<T>;
}

/** The reads of one operation. */
export class RangeReads {
  readonly #entries: Entries;
  readonly #values: Values;
  readonly #turns: ReadTurns;
  readonly #signal: AbortSignal | undefined;

  /** Takes the entries, what decodes them, the operation's turns, and its signal. */
  constructor(
    entries: Entries,
    values: Values,
    turns: ReadTurns,
    signal: AbortSignal | undefined,
  ) {
    this.#entries = entries;
    this.#values = values;
    this.#turns = turns;
    this.#signal = signal;
  }

  /** Calls `use` with each entry of a selection, in its order. */
  async select<T>(
    kind: string,
    selection: Selection<T>,
    use: (key: string, value: T) => void,
  ): Promise<void> {
    if (selection.where) return await this.#filter(kind, selection, use);
    const stored = await this.#collect(
      (rest, page) => this.#entries.readValues(kind, rest, page),
      selection,
    );
    await this.#decodeEach(kind, stored, use);
  }

  /** The keys of a selection without `where`. */
  async keys(kind: string, selection: Selection<never>): Promise<string[]> {
    return await this.#collect(
      (rest, page) => this.#entries.readKeys(kind, rest, page),
      selection,
    );
  }

  /** Calls `use` with each entry of all kinds, by kind, then by key. */
  async selectAll<T>(
    use: (kind: string, key: string, value: T) => void,
  ): Promise<void> {
    const entries = this.#entries;
    const nothing = () => undefined;
    const read = function* () {
      const kinds = new Map<string, StoredValue[]>();
      for (const kind of entries.listKinds()) {
        const readPage: ReadPage<StoredValue> = (rest, page) =>
          entries.readValues(kind, rest, page);
        kinds.set(kind, yield* collectPages(readPage, { keys: ALL_KEYS }));
      }
      return kinds;
    };
    const stored = await this.#turns.readAtOnceOrInSlices(nothing, read);
    for (const [kind, values] of stored) {
      await this.#decodeEach<T>(
        kind,
        values,
        (key, value) => use(kind, key, value),
      );
    }
  }

  /** The pages of a stream of entries. */
  async *pages<T>(kind: string, selection: Selection<T>): Pages<Entry<T>> {
    const { keys, where, limit = Infinity, reverse = false } = selection;
    this.#signal?.throwIfAborted();
    const slice = new Slice();
    let rest: KeyRange | undefined = limit > 0 ? keys : undefined;
    let left = limit;
    while (rest) {
      if (slice.isUsedUp) await slice.nextTurn();
      const options = {
        limit: where ? PAGE_ENTRIES : Math.min(PAGE_ENTRIES, left),
        reverse,
      };
      const page: Page<StoredEntry> = await this.#readPage(
        kind,
        rest,
        options,
      );
      const entries = this.#decodePage<T>(kind, page.items);
      if (where) {
        for (const read of entries) {
          const entry = await read;
          if (slice.isUsedUp) await slice.nextTurn();
          if (!isWanted(where, kind, entry.key, entry.value)) continue;
          yield [entry];
          if (--left === 0) return;
        }
      } else {
        yield entries;
        left -= page.items.length;
        if (left === 0) return;
      }
      rest = page.rest;
    }
  }

  #readPage(
    kind: string,
    rest: KeyRange,
    options: PageOptions,
  ): MaybePromise<Page<StoredEntry>> {
    return this.#turns.read(() =>
      this.#entries.readEntries(kind, rest, options)
    );
  }

  *#decodePage<T>(
    kind: string,
    page: readonly StoredEntry[],
  ): Generator<MaybePromise<Entry<T>>, void> {
    for (const stored of page) {
      this.#signal?.throwIfAborted();
      const value = this.#read<T>(kind, stored);
      yield isPromise(value)
        ? Promise.resolve(value).then((value) => ({ ...stored, value }))
        : { ...stored, value };
    }
  }

  /** Every item of a selection, as of one moment. */
  async #collect<T>(
    read: ReadPage<T>,
    selection: Selection<never>,
  ): Promise<T[]> {
    const { keys, limit = Infinity, reverse } = selection;
    const first = { ...COLLECTED, reverse };
    if (limit < first.limit) first.limit = limit;
    const readAtOnce = () => {
      const { items, rest } = read(keys, first);
      return !rest || items.length === limit ? items : undefined;
    };
    return await this.#turns.readAtOnceOrInSlices(
      readAtOnce,
      () => collectPages(read, selection),
    );
  }

  async #decodeEach<T>(
    kind: string,
    stored: readonly StoredValue[],
    use: (key: string, value: T) => void,
  ): Promise<void> {
    const slice = new Slice();
    let decoded = 0;
    for (const item of stored) {
      const value = this.#read<T>(kind, item);
      use(item.key, isPromise(value) ? await value : value);
      decoded += DECODED_ENTRY + item.value.byteLength;
      if (decoded < DECODED_BYTES) continue;
      decoded = 0;
      if (!slice.isUsedUp) continue;
      await slice.nextTurn();
      this.#signal?.throwIfAborted();
    }
  }

  #read<T>(kind: string, { key, value }: StoredValue): MaybePromise<T> {
    return this.#values.read(kind, key, value) as MaybePromise<T>;
  }

  /** The entries that pass `where`: a page of them is filtered after the read. */
  async #filter<T>(
    kind: string,
    selection: Selection<T>,
    use: (key: string, value: T) => void,
  ): Promise<void> {
    const { keys, reverse } = selection;
    const read: ReadPage<StoredValue> = (rest, page) =>
      this.#entries.readValues(kind, rest, page);
    const filter = (read: ReadPage<StoredValue>) =>
      this.#filterSteps(kind, selection, read);
    const readAtOnce = () => {
      const page = read(keys, { reverse });
      return page.rest ? undefined : filter(() => page);
    };
    const found = await this.#turns.readAtOnceOrInSlices<
      KeyValue<T>[] | Generator<void, KeyValue<T>[]>
    >(readAtOnce, () => filter(read));
    const filtered = Array.isArray(found)
      ? found
      : await runInSlices(found, this.#signal);
    for (const { key, value } of filtered) use(key, value);
  }

  *#filterSteps<T>(
    kind: string,
    { keys, where, limit = Infinity, reverse }: Selection<T>,
    read: ReadPage<StoredValue>,
  ): Generator<void, KeyValue<T>[]> {
    const found: KeyValue<T>[] = [];
    let rest: KeyRange | undefined = limit > 0 ? keys : undefined;
    while (rest) {
      const page = read(rest, { reverse });
      for (const stored of page.items) {
        const value = this.#read<T>(kind, stored);
        assertFilterable(kind, value);
        if (isWanted(where!, kind, stored.key, value)) {
          found.push({ key: stored.key, value });
          if (found.length === limit) return found;
        }
        yield;
      }
      rest = page.rest;
    }
    return found;
  }
}

/** The items of all pages of a selection. */
function* collectPages<T>(
  read: ReadPage<T>,
  { keys, limit = Infinity, reverse }: Selection<never>,
): Generator<void, T[]> {
  const items: T[] = [];
  let rest: KeyRange | undefined = limit > 0 ? keys : undefined;
  while (rest && items.length < limit) {
    const left = Math.min(COLLECTED.limit, limit - items.length);
    const page = read(rest, { ...COLLECTED, limit: left, reverse });
    items.push(...page.items);
    rest = page.rest;
    yield;
  }
  return items;
}

/** What `where` answers; throws a `TypeError` for what is no answer, such as a promise. */
function isWanted<T>(
  where: (key: string, value: T) => boolean,
  kind: string,
  key: string,
  value: T,
): boolean {
  const answer: unknown = where(key, value);
  if (typeof answer === "boolean") return answer;
  throw new TypeError(
    `Cannot read kind ${quoteText(kind)}: "where" returns a boolean, received ${
      describe(answer)
    } for ${quoteText(key)}`,
  );
}

/** Throws a `TypeError` where a value that is read is still being checked. */
function assertFilterable<T>(
  kind: string,
  value: MaybePromise<T>,
): asserts value is T {
  if (!isPromise(value)) return;
  throw new TypeError(
    `Cannot read kind ${
      quoteText(kind)
    } with "where": its schema is asynchronous, and the read is of one moment; filter what is read`,
  );
}
