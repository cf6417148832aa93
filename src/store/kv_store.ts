/**
 * The store: every operation, from its arguments to its result, on an engine.
 *
 * @module
 */
import { readOptions } from "../base/options.ts";
import { pagedStream } from "../base/paged_stream.ts";
import { runInSlices } from "../base/slice.ts";
import type {
  AnyKinds,
  AtomicOperation,
  AtomicResult,
  EntriesInput,
  Entry,
  ExportOptions,
  ImportOptions,
  ImportResult,
  KeyValue,
  KindOf,
  KindStore,
  OperationOptions,
  RangeOptions,
  SetAllResult,
  SetResult,
  Store,
  UpdateOptions,
  UpdateResult,
  VerifyFinding,
  WatchBookmark,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "../contract/mod.ts";
import { describe, quote } from "../base/messages.ts";
import type { Engine } from "../engine/engine.ts";
import { assertEntryName, assertName } from "../keys/names.ts";
import {
  Eventual,
  type Prepared,
  settleAll,
  type Values,
} from "../values/values.ts";
import { AtomicBuilder, type AtomicPlan } from "./atomic.ts";
import { prepareEntries } from "./entries_input.ts";
import { KindHandle } from "./kind_handle.ts";
import {
  CommitOperation,
  DeleteOperation,
  nextOf,
  SetAllOperation,
  SetOperation,
  UpdateOperation,
} from "./operations.ts";
import {
  exportPlanOf,
  importPlanOf,
  OPERATION,
  selectionOf,
  UPDATE,
  WRITE,
} from "./options.ts";
import { RangeReads } from "./range_reads.ts";
import { exportChunks } from "./transfer/export.ts";
import { importLines, type ImportTarget } from "./transfer/import.ts";
import { streamUntilStopped } from "./transfer/stopping_stream.ts";
import { Lifecycle } from "./lifecycle.ts";
import { openWatch } from "./watch_stream.ts";

/** What a store is made of. */
export interface StoreConfig {
  readonly engine: Engine;
  readonly values: Values;
  /** How long a write waits for somebody else's lock, in ms. */
  readonly busyTimeout: number;
}

/** A store on an engine. */
export class KvStore<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> implements Store<Kinds, Inputs> {
  readonly #engine: Engine;
  readonly #values: Values;
  readonly #life: Lifecycle;

  /** Takes over an engine. */
  constructor({ engine, values, busyTimeout }: StoreConfig) {
    this.#engine = engine;
    this.#values = values;
    this.#life = new Lifecycle(engine, busyTimeout);
  }

  // Reads.

  async get<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Kinds[Kind] | undefined> {
    const { signal } = readOptions("get", options, OPERATION);
    assertEntryName(kind, key);
    const value = await this.#life.read(
      "get",
      () => this.#engine.value(kind, key, signal),
      signal,
    );
    if (!value) return undefined;
    return await this.#values.read(kind, key, value) as Kinds[Kind];
  }

  async entry<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Entry<Kinds[Kind]> | undefined> {
    const { signal } = readOptions("entry", options, OPERATION);
    assertEntryName(kind, key);
    const stored = await this.#life.read(
      "entry",
      () => this.#engine.entry(kind, key, signal),
      signal,
    );
    if (!stored) return undefined;
    const entry = await this.#values.readEntry(kind, stored);
    return entry as Entry<Kinds[Kind]>;
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
      return await this.#life.track(reads.keys(kind, selection));
    }
    const found: string[] = [];
    await this.#life.track(
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
      const count = () => this.#engine.count(kind, keys, limit, signal);
      return await this.#life.read("count", count, signal);
    }
    let count = 0;
    const reads = this.#reads("count", signal);
    await this.#life.track(reads.select(kind, selection, () => count++));
    return count;
  }

  entries<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): ReadableStream<Entry<Kinds[Kind]>> {
    assertName("kind", kind);
    const selection = selectionOf("entries", range);
    const reads = this.#reads("entries", selection.signal);
    return pagedStream(reads.pages(kind, selection));
  }

  async kinds(options?: OperationOptions): Promise<KindOf<Kinds>[]> {
    const { signal } = readOptions("kinds", options, OPERATION);
    const kinds = await this.#life.read(
      "kinds",
      () => this.#engine.kinds(signal),
      signal,
    );
    return kinds as KindOf<Kinds>[];
  }

  async getAll(
    options?: OperationOptions,
  ): Promise<Map<KindOf<Kinds>, Map<string, Kinds[KindOf<Kinds>]>>> {
    const { signal } = readOptions("getAll", options, OPERATION);
    const all = new Map<KindOf<Kinds>, Map<string, Kinds[KindOf<Kinds>]>>();
    const use = (name: string, key: string, value: Kinds[KindOf<Kinds>]) => {
      const kind = name as KindOf<Kinds>;
      let entries = all.get(kind);
      if (!entries) all.set(kind, entries = new Map());
      entries.set(key, value);
    };
    await this.#life.track(this.#reads("getAll", signal).selectAll(use));
    return all;
  }

  // Writes.

  async set<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: Inputs[Kind],
    options?: WriteOptions,
  ): Promise<SetResult> {
    const { ifVersion, signal } = readOptions("set", options, WRITE);
    assertEntryName(kind, key);
    const values = this.#values;
    const next = new Eventual(values.prepare(kind, key, value));
    const set = new SetOperation(values, kind, key, next, ifVersion);
    return await this.#life.write(set, signal);
  }

  async setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: EntriesInput<Inputs[Kind]>,
    options?: OperationOptions,
  ): Promise<SetAllResult> {
    this.#life.assertWritable("setAll");
    const { signal } = readOptions("setAll", options, OPERATION);
    assertName("kind", kind);
    signal?.throwIfAborted();
    const preparing = prepareEntries(this.#values, kind, entries);
    const stop = new AbortController();
    const work = runInSlices(preparing, stop.signal);
    const all = new Eventual(
      work instanceof Promise ? work.then(settleAll) : settleAll(work),
    );
    try {
      const setAll = new SetAllOperation(this.#values, kind, all);
      return await this.#life.write(setAll, signal);
    } finally {
      // If the write was given up, the entries are not read any further.
      stop.abort();
      preparing.return([]);
    }
  }

  async update<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    fn: (value: Kinds[Kind]) => Inputs[Kind],
    options?: UpdateOptions<Kinds[Kind]>,
  ): Promise<UpdateResult<Kinds[Kind]>> {
    const given = readOptions("update", options, UPDATE);
    assertEntryName(kind, key);
    if (typeof fn !== "function") {
      throw new TypeError(
        `Cannot update ${quote(kind, key)}: expected a function, received ${
          describe(fn)
        }`,
      );
    }
    const initial = given.initial === undefined
      ? undefined
      : this.#values.encode(kind, key, given.initial);
    const update = new UpdateOperation(this.#values, kind, key, fn, initial);
    return await this.#life.write(update, given.signal);
  }

  async delete<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: WriteOptions,
  ): Promise<Entry<Kinds[Kind]> | undefined> {
    const { ifVersion, signal } = readOptions("delete", options, WRITE);
    assertEntryName(kind, key);
    return await this.#life.write(
      new DeleteOperation<Kinds[Kind]>(this.#values, kind, key, ifVersion),
      signal,
    );
  }

  atomic(): AtomicOperation<Kinds, Inputs> {
    this.#life.assertOpen();
    return new AtomicBuilder<Kinds, Inputs>({
      prepare: (kind, key, value) => this.#values.prepare(kind, key, value),
      commit: (plan, signal) => this.#commit(plan, signal),
    });
  }

  #commit(plan: AtomicPlan, signal?: AbortSignal): Promise<AtomicResult> {
    const writes = new Eventual(settleAll(plan.writes));
    const commit = new CommitOperation(this.#values, plan, writes);
    return this.#life.write(commit, signal);
  }

  kind<Kind extends KindOf<Kinds>>(
    kind: Kind,
  ): KindStore<Kinds[Kind], Inputs[Kind]> {
    assertName("kind", kind);
    return new KindHandle(this, kind);
  }

  // Watching.

  watch<Kind extends KindOf<Kinds>>(
    kind: Kind,
    options?: WatchOptions & { bookmarks?: false },
  ): ReadableStream<WatchEvent<Kinds[Kind]>>;
  watch<Kind extends KindOf<Kinds>>(
    kind: Kind,
    options?: WatchOptions,
  ): ReadableStream<WatchEvent<Kinds[Kind]> | WatchBookmark>;
  watch(
    kind: string,
    options?: WatchOptions,
  ): ReadableStream<WatchEvent | WatchBookmark> {
    this.#life.assertOpen();
    this.#engine.assertWatchable();
    return openWatch(
      {
        log: this.#engine.log,
        head: () => this.#life.head(),
        decode: (kind, key, bytes) => this.#values.read(kind, key, bytes),
        errorOf: (error) => this.#engine.errorOf("watch", error),
        open: this.#life.watches,
      },
      kind,
      options,
    );
  }

  // Exporting, importing, verifying.

  export(
    options?: ExportOptions<KindOf<Kinds>>,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#life.assertOpen();
    const { signal, ...plan } = exportPlanOf(options);
    const openSnapshot = () => this.#engine.openSnapshot(signal);
    const chunks = exportChunks({
      ...plan,
      values: this.#values,
      openSnapshot: () => this.#life.read("export", openSnapshot, signal),
      assertWanted: () => {
        this.#life.assertOpen();
        signal?.throwIfAborted();
      },
      errorOf: (error) => this.#engine.errorOf("export", error),
    });
    return streamUntilStopped(chunks, [this.#life.closing, signal]);
  }

  async import(
    lines: ReadableStream<Uint8Array | string>,
    options?: ImportOptions<KindOf<Kinds>>,
  ): Promise<ImportResult> {
    const plan = importPlanOf(lines, options);
    const values = this.#values;
    const target: ImportTarget<Prepared> = {
      mostLines: this.#engine.limits.changes,
      prepare: (...value) => values.prepare(...value),
      accept: (...value) => values.accept(...value),
      next: (kind, key, { bytes }, origin) =>
        nextOf(values, kind, key, bytes, origin),
      write: (operation) => this.#life.write(operation, plan.signal),
      assertWritable: () => this.#life.assertWritable("import"),
    };
    const signals = [this.#life.closing, plan.signal];
    return await this.#life.track(importLines(target, lines, plan, signals));
  }

  async verify(options?: OperationOptions): Promise<VerifyFinding[]> {
    const { signal } = readOptions("verify", options, OPERATION);
    return await this.#life.verify(
      ({ kind, key }, bytes) => this.#values.problemOf(kind, key, bytes),
      signal,
    );
  }

  // Closing.

  close(): Promise<void> {
    return this.#life.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What operations that a store has beside the contract's run in. */
  protected get life(): Lifecycle {
    return this.#life;
  }

  /** The reads of an operation; `close` waits for what is tracked. */
  #reads(action: string, signal?: AbortSignal): RangeReads {
    this.#life.assertOpen();
    return new RangeReads({
      engine: this.#engine,
      values: this.#values,
      signal,
      read: (work) => this.#life.read(action, work, signal),
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
    await this.#life.track(reads.select(kind, selection, use));
  }
}
