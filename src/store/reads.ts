/**
 * The reads of the contract, from arguments to results, for a store and for a
 * snapshot.
 *
 * @module
 */
import { describe } from "../base/messages.ts";
import { readOptions } from "../base/options.ts";
import { pagedStream } from "../base/paged_stream.ts";
import type { MaybePromise } from "../base/promises.ts";
import type {
  AnyKinds,
  Entry,
  ExportOptions,
  KeyValue,
  KindOf,
  OperationOptions,
  RangeOptions,
  Reads,
} from "../contract/mod.ts";
import type { Engine } from "../engine/engine.ts";
import type { Snapshot, View } from "../engine/view.ts";
import { assertEntryName, assertName } from "../keys/names.ts";
import type { Values } from "../values/values.ts";
import {
  type ExportChoice,
  exportChoiceOf,
  OPERATION,
  selectionOf,
} from "./options.ts";
import { entryOf } from "./entry_of.ts";
import { RangeReads } from "./range_reads.ts";
import { exportChunks } from "./transfer/export.ts";
import { streamUntilStopped } from "./transfer/stopping_stream.ts";
import {
  isUnreadable,
  readOrTell,
  revisionOf,
  withRevision,
} from "./unreadable.ts";

/** The source of reads. */
export interface ReadSource {
  readonly view: Pick<Engine, keyof View | "together">;
  readonly values: Values;
  /** Aborts when the source ends. */
  readonly closing: AbortSignal;
  /** Throws if the source has ended. */
  assertOpen(): void;
  /** Runs a read in its turn. Its errors are those for the caller. */
  read<T>(
    action: string,
    work: () => MaybePromise<T>,
    signal?: AbortSignal,
  ): MaybePromise<T>;
  /** Notes an operation, so that closing waits for it. */
  track<T>(operation: Promise<T>): Promise<T>;
  /** All entries, at one moment. */
  openEntries(at?: number, signal?: AbortSignal): MaybePromise<Snapshot>;
  /** The error for the reader of a stream. */
  errorOf(action: string, error: unknown): unknown;
}

/** The reads of a source. */
export class StoreReads<Kinds extends object = AnyKinds>
  implements Reads<Kinds> {
  readonly #source: ReadSource;
  readonly #view: ReadSource["view"];
  readonly #values: Values;

  /** Takes the source. */
  constructor(source: ReadSource) {
    this.#source = source;
    this.#view = source.view;
    this.#values = source.values;
  }

  async get<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Kinds[Kind] | undefined> {
    const { signal } = readOptions("get", options, OPERATION);
    assertEntryName(kind, key);
    const value = await this.#source.read(
      "get",
      () => this.#view.value(kind, key, signal),
      signal,
    );
    if (!value) return undefined;
    try {
      return await this.#values.read(kind, key, value) as Kinds[Kind];
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      const revision = await revisionOf(this.#view, kind, key, signal);
      throw withRevision(error, revision);
    }
  }

  async has(
    kind: KindOf<Kinds>,
    key: string,
    options?: OperationOptions,
  ): Promise<boolean> {
    const { signal } = readOptions("has", options, OPERATION);
    assertEntryName(kind, key);
    const state = await this.#source.read(
      "has",
      () => this.#view.state(kind, key, signal),
      signal,
    );
    return state !== undefined;
  }

  async getMany<Kind extends KindOf<Kinds>>(
    kind: Kind,
    keys: Iterable<string>,
    options?: OperationOptions,
  ): Promise<Map<string, Kinds[Kind]>> {
    const { signal } = readOptions("getMany", options, OPERATION);
    assertName("kind", kind);
    const wanted = wantedKeys(keys);
    const found = new Map<string, Kinds[Kind]>();
    const reads = this.#reads("getMany", signal);
    await this.#source.track(
      reads.some<Kinds[Kind]>(kind, wanted, (key, value) => {
        found.set(key, value);
      }),
    );
    return found;
  }

  async entry<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Entry<Kinds[Kind]> | undefined> {
    const { signal } = readOptions("entry", options, OPERATION);
    assertEntryName(kind, key);
    const stored = await this.#source.read(
      "entry",
      () => this.#view.entry(kind, key, signal),
      signal,
    );
    if (!stored) return undefined;
    const read = () => entryOf<Kinds[Kind]>(this.#values, kind, stored);
    return await readOrTell(read, stored.revision, undefined);
  }

  async list<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<Map<string, Kinds[Kind]>> {
    assertName("kind", kind);
    const found = new Map<string, Kinds[Kind]>();
    await this.#select("list", kind, range, (key, value) => {
      found.set(key, value);
    });
    return found;
  }

  async keys<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<string[]> {
    assertName("kind", kind);
    const selection = selectionOf("keys", range);
    const reads = this.#reads("keys", selection.signal);
    if (!selection.where) {
      return await this.#source.track(reads.keys(kind, selection));
    }
    const found: string[] = [];
    await this.#source.track(
      reads.select(kind, selection, (key) => found.push(key)),
    );
    return found;
  }

  async values<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<KeyValue<Kinds[Kind]>[]> {
    assertName("kind", kind);
    const found: KeyValue<Kinds[Kind]>[] = [];
    await this.#select("values", kind, range, (key, value) => {
      found.push({ key, value });
    });
    return found;
  }

  async count<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<number> {
    assertName("kind", kind);
    const selection = selectionOf("count", range);
    const { keys, limit, where, signal } = selection;
    if (!where) {
      const count = () => this.#view.count(kind, keys, limit, signal);
      return await this.#source.read("count", count, signal);
    }
    let count = 0;
    const reads = this.#reads("count", signal);
    await this.#source.track(reads.select(kind, selection, () => count++));
    return count;
  }

  entries<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): ReadableStream<Entry<Kinds[Kind]>> {
    assertName("kind", kind);
    const selection = selectionOf("entries", range);
    const reads = this.#reads("entries", selection.signal);
    // With a signal, no item is made ahead, so that an aborted stream gives no
    // further item.
    const ahead = selection.signal === undefined;
    return pagedStream(reads.pages(kind, selection), { ahead });
  }

  async kinds<Kind extends KindOf<Kinds> = KindOf<Kinds>>(
    options?: OperationOptions,
  ): Promise<Kind[]> {
    const { signal } = readOptions("kinds", options, OPERATION);
    const kinds = await this.#source.read(
      "kinds",
      () => this.#view.kinds(signal),
      signal,
    );
    return kinds as Kind[];
  }

  async getAll<Kind extends KindOf<Kinds> = KindOf<Kinds>>(
    options?: OperationOptions,
  ): Promise<Map<Kind, Map<string, Kinds[Kind]>>> {
    const { signal } = readOptions("getAll", options, OPERATION);
    const all = new Map<Kind, Map<string, Kinds[Kind]>>();
    const use = (name: string, key: string, value: Kinds[Kind]) => {
      const kind = name as Kind;
      let entries = all.get(kind);
      if (!entries) all.set(kind, entries = new Map());
      entries.set(key, value);
    };
    await this.#source.track(this.#reads("getAll", signal).selectAll(use));
    return all;
  }

  export(
    options?: ExportOptions<KindOf<Kinds>>,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.exportChosen(exportChoiceOf(options));
  }

  /** Exports the chosen entries. */
  protected exportChosen(
    { signal, at, ...choice }: ExportChoice,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const source = this.#source;
    source.assertOpen();
    const open = () => source.openEntries(at, signal);
    const chunks = exportChunks({
      ...choice,
      values: this.#values,
      openSnapshot: () => source.read("export", open, signal),
      assertWanted: () => {
        source.assertOpen();
        signal?.throwIfAborted();
      },
      errorOf: (error) => source.errorOf("export", error),
    });
    return streamUntilStopped(chunks, [source.closing, signal]);
  }

  /** The reads of an operation. `close` waits for tracked work. */
  #reads(action: string, signal?: AbortSignal): RangeReads {
    this.#source.assertOpen();
    return new RangeReads({
      engine: this.#view,
      values: this.#values,
      signal,
      read: (work) => this.#source.read(action, work, signal),
    });
  }

  async #select<Kind extends KindOf<Kinds>>(
    action: string,
    kind: Kind,
    range: RangeOptions<Kinds[Kind]> | undefined,
    use: (key: string, value: Kinds[Kind]) => void,
  ): Promise<void> {
    const selection = selectionOf(action, range);
    const reads = this.#reads(action, selection.signal);
    await this.#source.track(reads.select(kind, selection, use));
  }
}

/**
 * The requested keys, each once. Throws unless they are an iterable of keys.
 */
function wantedKeys(keys: Iterable<string>): string[] {
  // A string has an iterator, too: that of its characters.
  if (typeof keys !== "object" || keys === null || !(Symbol.iterator in keys)) {
    throw new TypeError(
      `Cannot getMany: expected an iterable of keys, received ${
        describe(keys)
      }`,
    );
  }
  const wanted = new Set<string>();
  for (const key of keys) {
    assertName("key", key);
    wanted.add(key);
  }
  return [...wanted];
}
