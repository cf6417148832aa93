/**
 * The store: each operation from its arguments to its result, on any engine.
 *
 * @module
 */
import { type OptionsRead, readOptions } from "../base/options.ts";
import { runInSlices } from "../base/slice.ts";
import type {
  AnyKinds,
  AtomicOperation,
  AtomicResult,
  DeleteAllResult,
  DeletedEntry,
  DeleteOptions,
  EntriesInput,
  HistoryChange,
  HistoryOptions,
  ImportOptions,
  ImportResult,
  KeyRangeOptions,
  KindOf,
  KindsEvent,
  KindStore,
  Mirror,
  MirrorOptions,
  OperationOptions,
  SetAllOptions,
  SetAllResult,
  SetOptions,
  SetResult,
  Snapshot,
  SnapshotOptions,
  Store,
  StoreExportOptions,
  UpdateOptions,
  UpdateResult,
  VerifyFinding,
  WaitForOptions,
  WatchBookmark,
  WatchEvent,
  WatchOptions,
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
import { AtomicBuilder, type AtomicPlan, type AtomicUpdate } from "./atomic.ts";
import {
  CommitOperation,
  DeleteAllOperation,
  SetAllOperation,
} from "./bulk_operations.ts";
import { prepareEntries } from "./entries_input.ts";
import {
  allowInspection,
  inspectionFrom,
  type StorePlace,
} from "./inspection.ts";
import { openHistory } from "./history.ts";
import { KindHandle } from "./kind_handle.ts";
import {
  DeleteOperation,
  nextOf,
  SetOperation,
  UpdateOperation,
  Updating,
} from "./operations.ts";
import {
  conditionOf,
  DELETE,
  deletedKeysOf,
  importPlanOf,
  OPERATION,
  SET,
  SET_ALL,
  SNAPSHOT,
  storeExportChoiceOf,
  UPDATE,
} from "./options.ts";
import { StoreReads } from "./reads.ts";
import { openPast, PastStore, unavailable } from "./snapshot.ts";
import { importLines, type ImportTarget } from "./transfer/import.ts";
import { Lifecycle } from "./lifecycle.ts";
import { openMirror } from "./mirror/open_mirror.ts";
import { waitFor } from "./wait_for.ts";
import { watchedKinds } from "./watch_options.ts";
import { openWatch } from "./watch_stream.ts";

/** The parts of a store. */
export interface StoreConfig {
  readonly engine: Engine;
  readonly values: Values;
  /** The place of the store. */
  readonly place: StorePlace;
  /** How long a write waits for another connection's lock, in ms. */
  readonly busyTimeout: number;
}

/** A store on an engine. */
export class KvStore<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> extends StoreReads<Kinds> implements Store<Kinds, Inputs> {
  readonly #engine: Engine;
  readonly #values: Values;
  readonly #life: Lifecycle;

  /** Takes over an engine. */
  constructor({ engine, values, place, busyTimeout }: StoreConfig) {
    const life = new Lifecycle(engine, busyTimeout);
    super({
      view: engine,
      values,
      closing: life.closing,
      assertOpen: () => life.assertOpen(),
      read: (action, work, signal) => life.read(action, work, signal),
      track: (operation) => life.track(operation),
      openEntries: (at, signal) => {
        if (at === undefined) return engine.openSnapshot(signal);
        engine.assertWatchable("export");
        return openPast(engine, at, signal);
      },
      errorOf: (action, error) => unavailable(engine.errorOf(action, error)),
    });
    this.#engine = engine;
    this.#values = values;
    this.#life = life;
    allowInspection(this, inspectionFrom({ engine, values, place, life }));
  }

  // Writes.

  // Not `async`, because that would cost one more promise, and a wait for it.
  set<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: Inputs[Kind],
    options?: SetOptions,
  ): Promise<SetResult> {
    try {
      return this.#set(kind, key, value, readOptions("set", options, SET));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #set(
    kind: string,
    key: string,
    value: unknown,
    options: OptionsRead<typeof SET>,
  ): Promise<SetResult> {
    assertEntryName(kind, key);
    const condition = conditionOf("set", options);
    const values = this.#values;
    const next = new Eventual(values.prepare(kind, key, value));
    const target = { kind, key, condition };
    const { signal, expireIn: expiresAt } = options;
    const set = new SetOperation(values, target, next, { expiresAt });
    return this.#life.write(set, signal);
  }

  async setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: EntriesInput<Inputs[Kind]>,
    options?: SetAllOptions,
  ): Promise<SetAllResult> {
    this.#life.assertWritable("setAll");
    const { signal, expireIn: expiresAt } = readOptions(
      "setAll",
      options,
      SET_ALL,
    );
    assertName("kind", kind);
    signal?.throwIfAborted();
    const preparing = prepareEntries(this.#values, kind, entries);
    const stop = new AbortController();
    const work = runInSlices(preparing, stop.signal);
    const all = new Eventual(
      work instanceof Promise ? work.then(settleAll) : settleAll(work),
    );
    try {
      const setAll = new SetAllOperation(this.#values, kind, all, {
        expiresAt,
      });
      return await this.#life.write(setAll, signal);
    } finally {
      // If the write was given up, the rest of the entries is not read.
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
    const { initial, expireIn: expiresAt, signal, ...given } = readOptions(
      "update",
      options,
      UPDATE,
    );
    assertEntryName(kind, key);
    const condition = conditionOf("update", given);
    const updating = this.#updating({ kind, key, fn, initial, expiresAt });
    const target = { kind, key, condition };
    const update = new UpdateOperation<Kinds[Kind]>(
      this.#values,
      target,
      updating,
    );
    return await this.#life.write(update, signal);
  }

  #updating({ kind, key, fn, initial, expiresAt }: AtomicUpdate): Updating {
    if (typeof fn !== "function") {
      throw new TypeError(
        `Cannot update ${quote(kind, key)}: expected a function, received ${
          describe(fn)
        }`,
      );
    }
    const values = this.#values;
    const encoded = initial === undefined
      ? undefined
      : values.encode(kind, key, initial);
    return new Updating(
      values,
      { kind, key },
      fn as (value: never) => unknown,
      encoded,
      expiresAt,
    );
  }

  async delete<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: DeleteOptions,
  ): Promise<DeletedEntry<Kinds[Kind]> | undefined> {
    const { signal, ...given } = readOptions("delete", options, DELETE);
    assertEntryName(kind, key);
    const target = { kind, key, condition: conditionOf("delete", given) };
    return await this.#life.write(
      new DeleteOperation<Kinds[Kind]>(this.#values, target),
      signal,
    );
  }

  async deleteAll(
    kind: KindOf<Kinds>,
    range?: KeyRangeOptions,
  ): Promise<DeleteAllResult> {
    assertName("kind", kind);
    const { keys, signal } = deletedKeysOf(range);
    return await this.#life.write(new DeleteAllOperation(kind, keys), signal);
  }

  atomic(): AtomicOperation<Kinds, Inputs> {
    this.#life.assertOpen();
    return new AtomicBuilder<Kinds, Inputs>({
      prepare: (kind, key, value) => this.#values.prepare(kind, key, value),
      prepareUpdate: (update) => this.#updating(update),
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
    return new KindHandle<Kinds, Inputs, Kind>(this, kind);
  }

  // Watching, and the past.

  watch<Kind extends KindOf<Kinds>>(
    kind: Kind,
    options?: WatchOptions & { bookmarks?: false },
  ): ReadableStream<WatchEvent<Kinds[Kind], Kind>>;
  watch<Kind extends KindOf<Kinds>>(
    kind: Kind,
    options?: WatchOptions,
  ): ReadableStream<WatchEvent<Kinds[Kind], Kind> | WatchBookmark>;
  watch<Kind extends KindOf<Kinds>>(
    kinds: readonly Kind[],
    options?: WatchOptions & { bookmarks?: false },
  ): ReadableStream<KindsEvent<Kinds, Kind>>;
  watch<Kind extends KindOf<Kinds>>(
    kinds: readonly Kind[],
    options?: WatchOptions,
  ): ReadableStream<KindsEvent<Kinds, Kind> | WatchBookmark>;
  watch(kinds: unknown, options?: WatchOptions): ReadableStream<never> {
    return this.#watch(watchedKinds(kinds), options);
  }

  watchAll<Kind extends KindOf<Kinds> = KindOf<Kinds>>(
    options?: WatchOptions & { bookmarks?: false },
  ): ReadableStream<KindsEvent<Kinds, Kind>>;
  watchAll<Kind extends KindOf<Kinds> = KindOf<Kinds>>(
    options?: WatchOptions,
  ): ReadableStream<KindsEvent<Kinds, Kind> | WatchBookmark>;
  watchAll(options?: WatchOptions): ReadableStream<never> {
    return this.#watch(undefined, options);
  }

  #watch(
    kinds: readonly string[] | undefined,
    options?: WatchOptions,
  ): ReadableStream<never> {
    this.#life.assertOpen();
    this.#engine.assertWatchable("watch");
    const stream = openWatch(
      {
        engine: this.#engine,
        head: () => this.#life.head(),
        values: this.#values,
        open: this.#life.watches,
        observer: this.#life.observer,
      },
      kinds,
      options,
    );
    return stream as ReadableStream<never>;
  }

  async mirror<Kind extends KindOf<Kinds>>(
    kind: Kind,
    options?: MirrorOptions<Kinds[Kind]>,
  ): Promise<Mirror<Kinds[Kind]>> {
    this.#life.assertOpen();
    this.#engine.assertWatchable("mirror");
    const life = this.#life;
    return await openMirror<Kinds[Kind]>(
      {
        engine: this.#engine,
        head: () => life.head(),
        values: this.#values,
        closing: life.closing,
        track: (work) => life.track(work),
      },
      kind,
      options,
    );
  }

  async waitFor<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    predicate?: (value: Kinds[Kind]) => boolean,
    options?: WaitForOptions,
  ): Promise<Kinds[Kind]> {
    this.#life.assertOpen();
    return await waitFor<Kinds[Kind]>(
      (watching) => this.#watch([kind], watching),
      { kind, key, predicate, options },
    );
  }

  history<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key?: string,
    options?: HistoryOptions,
  ): ReadableStream<HistoryChange<Kinds[Kind], Kind>> {
    this.#life.assertOpen();
    this.#engine.assertWatchable("history");
    const stream = openHistory(
      this.#engine,
      this.#life,
      this.#values,
      { kind, key, options },
    );
    return stream as ReadableStream<HistoryChange<Kinds[Kind], Kind>>;
  }

  async snapshot(options?: SnapshotOptions): Promise<Snapshot<Kinds>> {
    const { at, signal } = readOptions("snapshot", options, SNAPSHOT);
    this.#life.assertOpen();
    this.#engine.assertWatchable("snapshot");
    const open = () => openPast(this.#engine, at, signal);
    const view = await this.#life.read("snapshot", open, signal);
    return new PastStore<Kinds>(this.#engine, this.#life, this.#values, view);
  }

  // Exporting, importing, verifying.

  override export(
    options?: StoreExportOptions<KindOf<Kinds>>,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.exportChosen(storeExportChoiceOf(options));
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
      next: (kind, key, { bytes }, options) =>
        nextOf(values, kind, key, bytes, options),
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

  /** Runs the operations that a store has in addition to the contract. */
  protected get life(): Lifecycle {
    return this.#life;
  }
}
