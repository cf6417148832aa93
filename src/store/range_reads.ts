/**
 * Reads of many entries of a kind, page by page, and in slices.
 *
 * The invariants:
 * - `list`, `keys` and similar operations read at one moment. If the result
 *   fits a page, it is read by one call. Else its pages are read in one read
 *   transaction, and the event loop turns between them.
 * - A stream has one page in memory.
 *
 * @module
 */
import type { Entry, KeyValue } from "../contract/entry.ts";
import { describe, quoteText } from "../base/messages.ts";
import { ALL_KEYS, type KeyRange } from "../keys/key_range.ts";
import type { Pages } from "../base/paged_stream.ts";
import { isPromise, type MaybePromise } from "../base/promises.ts";
import { SHORT_SLICE_MS, Slice } from "../base/slice.ts";
import {
  type Page,
  PAGE_BYTES,
  PAGE_ENTRIES,
  type PageOptions,
} from "../engine/page.ts";
import type { StoreError } from "../contract/errors.ts";
import type { Engine } from "../engine/engine.ts";
import {
  sizeOfValue,
  type StoredEntry,
  type StoredValue,
} from "../engine/entries.ts";
import type { View } from "../engine/view.ts";
import type { Values } from "../values/values.ts";
import type { Selection } from "./options.ts";
import { entryOf } from "./entry_of.ts";
import {
  isUnreadable,
  type OnUnreadable,
  readOrTell,
  revisionOf,
  tell,
  tellProblems,
} from "./unreadable.ts";

/**
 * The size of the pages for results that are collected whole. These pages are
 * larger, because all of them stay in memory.
 */
const COLLECTED = { limit: 4 * PAGE_ENTRIES, bytes: 4 * PAGE_BYTES };

/** The clock is read after this many decoded bytes. Each entry also counts as some. */
const DECODED_BYTES = 32 * 1024;
const DECODED_ENTRY = 512;

const EVERYTHING: Selection<never> = { keys: ALL_KEYS };

/** Reads the next page of a range. */
type ReadPage<T> = (
  view: View,
  rest: KeyRange,
  page: PageOptions,
) => MaybePromise<Page<T>>;

/** The parts of a store that the reads of one operation need. */
export interface ReadsConfig {
  readonly engine: Pick<Engine, keyof View | "together">;
  readonly values: Values;
  readonly signal: AbortSignal | undefined;
  /** Runs a read in its turn. */
  read<T>(work: () => MaybePromise<T>): MaybePromise<T>;
}

/** The reads of one operation. */
export class RangeReads {
  readonly #engine: ReadsConfig["engine"];
  readonly #values: Values;
  readonly #signal: AbortSignal | undefined;
  readonly #inTurn: ReadsConfig["read"];
  /** The invalid entries in the pages that were read. */
  #problems: StoreError[] = [];

  /** Takes the parts that it needs. */
  constructor({ engine, values, signal, read }: ReadsConfig) {
    this.#engine = engine;
    this.#values = values;
    this.#signal = signal;
    this.#inTurn = read;
  }

  /** Calls `use` with each entry of a selection, in its order. */
  async select<T>(
    kind: string,
    selection: Selection<T>,
    use: (key: string, value: T) => void,
  ): Promise<void> {
    if (selection.where) return await this.#filter(kind, selection, use);
    const { onUnreadable } = selection;
    const stored = await this.#collect(this.#readValues(kind), selection);
    tellProblems(kind, this.#problems, onUnreadable);
    await this.#decodeEach(kind, stored, use, onUnreadable);
  }

  /** Calls `use` with the values of several keys, in their order. Skips missing entries. */
  async some<T>(
    kind: string,
    keys: readonly string[],
    use: (key: string, value: T) => void,
  ): Promise<void> {
    const stored = await this.#inTurn(() =>
      keys.length <= COLLECTED.limit
        ? this.#engine.some(kind, keys, this.#signal)
        : this.#together((view) => this.#collectSome(view, kind, keys))
    );
    const byKey = new Map(stored.map((item) => [item.key, item]));
    const inOrder = keys.flatMap((key) => byKey.get(key) ?? []);
    await this.#decodeEach(kind, inOrder, use);
  }

  async #collectSome(
    view: View,
    kind: string,
    keys: readonly string[],
  ): Promise<StoredValue[]> {
    const found: StoredValue[] = [];
    const slice = new Slice(SHORT_SLICE_MS);
    for (let at = 0; at < keys.length; at += COLLECTED.limit) {
      const some = keys.slice(at, at + COLLECTED.limit);
      for (const item of await view.some(kind, some, this.#signal)) {
        found.push(item);
      }
      await this.#pause(slice);
    }
    return found;
  }

  /** The keys of a selection without `where`. */
  async keys(kind: string, selection: Selection<never>): Promise<string[]> {
    const keys = await this.#collect(
      (view, rest, page) => view.keys(kind, rest, page, this.#signal),
      selection,
    );
    tellProblems(kind, this.#problems, selection.onUnreadable);
    return keys;
  }

  /** Calls `use` with each entry of all kinds, by kind, then by key. */
  async selectAll<T>(
    use: (kind: string, key: string, value: T) => void,
  ): Promise<void> {
    const read = async (view: View) => {
      // One slice for all kinds: there may be many kinds with few entries.
      const slice = new Slice(SHORT_SLICE_MS);
      const kinds = new Map<string, StoredValue[]>();
      for (const kind of await view.kinds(this.#signal)) {
        const readPage = this.#readValues(kind);
        kinds.set(
          kind,
          await this.#collectPages(view, readPage, EVERYTHING, slice),
        );
      }
      return kinds;
    };
    const stored = await this.#inTurn(() => this.#together(read));
    const slice = new Slice();
    for (const [kind, values] of stored) {
      await this.#decodeEach<T>(
        kind,
        values,
        (key, value) => use(kind, key, value),
        undefined,
        slice,
      );
      await this.#pause(slice);
    }
  }

  /** Reads pages of values that will be decoded. */
  #readValues(kind: string): ReadPage<StoredValue> {
    const asText = this.#values.isText(kind);
    return (view, rest, page) =>
      view.values(kind, rest, { ...page, asText }, this.#signal);
  }

  #together<T>(read: (view: View) => MaybePromise<T>): MaybePromise<T> {
    const readAnew = (view: View) => {
      this.#problems = [];
      return read(view);
    };
    return this.#engine.together(readAnew, this.#signal);
  }

  /** The options of a page if the caller wants reports of unreadable values. */
  #noting(onUnreadable: OnUnreadable): Pick<PageOptions, "onUnreadable"> {
    if (!onUnreadable) return {};
    return { onUnreadable: (problem) => this.#problems.push(problem) };
  }

  /** The pages of a stream of entries. */
  async *pages<T>(kind: string, selection: Selection<T>): Pages<Entry<T>> {
    const { keys, where, limit = Infinity, reverse = false, onUnreadable } =
      selection;
    this.#signal?.throwIfAborted();
    const slice = new Slice();
    const asText = this.#values.isText(kind);
    let rest: KeyRange | undefined = limit > 0 ? keys : undefined;
    let left = limit;
    while (rest) {
      if (slice.isUsedUp) await slice.nextTurn();
      const options = {
        limit: where ? PAGE_ENTRIES : Math.min(PAGE_ENTRIES, left),
        reverse,
        asText,
        ...this.#noting(onUnreadable),
      };
      const page: Page<StoredEntry> = await this.#readPage(
        kind,
        rest,
        options,
      );
      tellProblems(kind, this.#problems.splice(0), onUnreadable);
      const entries = this.#decodePage<T>(kind, page.items, onUnreadable);
      if (where) {
        for (const read of entries) {
          const entry = await read;
          if (slice.isUsedUp) await slice.nextTurn();
          if (!entry || !isWanted(where, kind, entry.key, entry.value)) {
            continue;
          }
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
    return this.#inTurn(() =>
      this.#engine.entries(kind, rest, options, this.#signal)
    );
  }

  *#decodePage<T>(
    kind: string,
    page: readonly StoredEntry[],
    onUnreadable: OnUnreadable,
  ): Generator<MaybePromise<Entry<T> | undefined>, void> {
    for (const stored of page) {
      this.#signal?.throwIfAborted();
      const read = () => entryOf<T>(this.#values, kind, stored);
      yield readOrTell(read, stored.revision, onUnreadable);
    }
  }

  /** Every item of a selection, as of one moment. */
  async #collect<T>(
    read: ReadPage<T>,
    selection: Selection<never>,
  ): Promise<T[]> {
    const { keys, limit = Infinity, reverse, onUnreadable } = selection;
    const first = { ...COLLECTED, reverse, ...this.#noting(onUnreadable) };
    if (limit < first.limit) first.limit = limit;
    const collect = ({ items, rest }: Page<T>): MaybePromise<T[]> =>
      !rest || items.length === limit
        ? items
        // The first page is of another moment, so all pages are read again.
        : this.#together((view) => this.#collectPages(view, read, selection));
    return await this.#inTurn(() => {
      const page = read(this.#engine, keys, first);
      return isPromise(page) ? page.then(collect) : collect(page);
    });
  }

  /** The items of all pages of a selection. */
  async #collectPages<T>(
    view: View,
    read: ReadPage<T>,
    { keys, limit = Infinity, reverse, onUnreadable }: Selection<never>,
    slice: Slice = new Slice(SHORT_SLICE_MS),
  ): Promise<T[]> {
    const items: T[] = [];
    let rest: KeyRange | undefined = limit > 0 ? keys : undefined;
    while (rest && items.length < limit) {
      const left = Math.min(COLLECTED.limit, limit - items.length);
      const next = read(view, rest, {
        ...COLLECTED,
        limit: left,
        reverse,
        ...this.#noting(onUnreadable),
      });
      const page: Page<T> = isPromise(next) ? await next : next;
      items.push(...page.items);
      rest = page.rest;
      await this.#pause(slice);
    }
    return items;
  }

  async #pause(slice: Slice): Promise<void> {
    if (!slice.isUsedUp) return;
    await slice.nextTurn();
    this.#signal?.throwIfAborted();
  }

  async #decodeEach<T>(
    kind: string,
    stored: readonly StoredValue[],
    use: (key: string, value: T) => void,
    onUnreadable?: OnUnreadable,
    slice: Slice = new Slice(),
  ): Promise<void> {
    let decoded = 0;
    for (const item of stored) {
      try {
        const value = this.#read<T>(kind, item);
        use(item.key, isPromise(value) ? await value : value);
      } catch (error) {
        await this.#tell(this.#engine, kind, item, error, onUnreadable);
      }
      decoded += DECODED_ENTRY + sizeOfValue(item);
      if (decoded < DECODED_BYTES) continue;
      decoded = 0;
      if (!slice.isUsedUp) continue;
      await slice.nextTurn();
      this.#signal?.throwIfAborted();
    }
  }

  /** Reports a value that cannot be read, with its entry's revision if that is known. */
  async #tell(
    view: Pick<View, "state">,
    kind: string,
    { key }: StoredValue,
    error: unknown,
    onUnreadable: OnUnreadable,
  ): Promise<void> {
    if (!isUnreadable(error)) throw error;
    const revision = await revisionOf(view, kind, key, this.#signal);
    tell(error, revision, onUnreadable);
  }

  #read<T>(kind: string, stored: StoredValue): MaybePromise<T> {
    return this.#values.readStored(kind, stored) as MaybePromise<T>;
  }

  /** The entries that pass `where`. A page is filtered after it was read. */
  async #filter<T>(
    kind: string,
    selection: Selection<T>,
    use: (key: string, value: T) => void,
  ): Promise<void> {
    const { keys, reverse, onUnreadable } = selection;
    const options = { reverse, ...this.#noting(onUnreadable) };
    const read = this.#readValues(kind);
    const found = await this.#inTurn<Page<StoredValue> | KeyValue<T>[]>(() => {
      const filter = (page: Page<StoredValue>) =>
        page.rest
          ? this.#together((view) =>
            this.#filterPages(
              view,
              kind,
              selection,
              (rest) => read(view, rest, options),
              SHORT_SLICE_MS,
            )
          )
          : page;
      const first = read(this.#engine, keys, options);
      return isPromise(first) ? first.then(filter) : filter(first);
    });
    const filtered = Array.isArray(found)
      ? found
      : await this.#filterPages(this.#engine, kind, selection, () => found);
    tellProblems(kind, this.#problems, onUnreadable);
    for (const { key, value } of filtered) use(key, value);
  }

  async #filterPages<T>(
    view: Pick<View, "state">,
    kind: string,
    { keys, where, limit = Infinity, onUnreadable }: Selection<T>,
    read: (rest: KeyRange) => MaybePromise<Page<StoredValue>>,
    sliceLength?: number,
  ): Promise<KeyValue<T>[]> {
    const found: KeyValue<T>[] = [];
    const slice = new Slice(sliceLength);
    let rest: KeyRange | undefined = limit > 0 ? keys : undefined;
    while (rest) {
      const page: Page<StoredValue> = await read(rest);
      for (const stored of page.items) {
        let value: MaybePromise<T>;
        try {
          value = this.#read<T>(kind, stored);
        } catch (error) {
          await this.#tell(view, kind, stored, error, onUnreadable);
          continue;
        }
        assertFilterable(kind, value);
        if (isWanted(where!, kind, stored.key, value)) {
          found.push({ key: stored.key, value });
          if (found.length === limit) return found;
        }
        if (slice.isUsedUp) await this.#pause(slice);
      }
      rest = page.rest;
    }
    return found;
  }
}

/** The result of `where`. Throws a `TypeError` if it is not a boolean. */
export function isWanted<T>(
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

/** Throws a `TypeError` if the schema of a value that was read is asynchronous. */
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
