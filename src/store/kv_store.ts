/**
 * The store: every operation on a storage, run in order by the write queue.
 *
 * @module
 */
import type {
  AnyKinds,
  AtomicCheck,
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
} from "../contract/contract.ts";
import {
  CodecError,
  describe,
  KeyNotFoundError,
  quote,
  quoteText,
  StoreClosedError,
  VersionConflictError,
} from "../contract/errors.ts";
import { selectionOf } from "../keys/key_range.ts";
import { assertName } from "../keys/names.ts";
import { assertInteger, copyOptions } from "../base/options.ts";
import { pagedStream } from "../base/paged_stream.ts";
import { isPromise, type MaybePromise } from "../base/promises.ts";
import { runInSlices } from "../base/slice.ts";
import { putAll } from "../local/put_all.ts";
import { putEach } from "../local/put_each.ts";
import type {
  Origin,
  PutResult,
  Storage,
  StoredEntry,
} from "../local/storage.ts";
import { type WriteJob, WriteQueue } from "../engine/write_queue.ts";
import { exportChunks } from "./transfer/export.ts";
import { importLines, type ImportTarget } from "./transfer/import.ts";
import { exportPlanOf, importPlanOf } from "./transfer/options.ts";
import { streamUntilStopped } from "./transfer/stopping_stream.ts";
import { StoredChangeLog } from "../local/stored_change_log.ts";
import type { OpenNotifier } from "../local/wakeup.ts";
import { openWatch, type Watch } from "./watch_stream.ts";
import { AtomicBuilder, type AtomicPlan, type AtomicWrite } from "./atomic.ts";
import { Verification } from "../local/verification.ts";
import { type PreparedEntry, prepareEntries } from "./entries_input.ts";
import { KindHandle } from "./kind_handle.ts";
import { RangeReads } from "./range_reads.ts";
import {
  Eventual,
  type Prepared,
  settleAll,
  type Settled,
  type Values,
} from "../values/values.ts";

const WRITE_OPTIONS = ["ifVersion", "signal"];

/** What a store is made of. */
export interface StoreConfig {
  readonly storage: Storage;
  readonly values: Values;
  /** How long to wait for another connection's lock, in ms. */
  readonly busyTimeout: number;
  /** How many changes the log keeps. */
  readonly history: number;
  /** The change log's newest revision. */
  readonly head: number;
  /** How to be notified of what others write. */
  readonly openNotifier: OpenNotifier;
}

/** A store on a storage. */
export class KvStore<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> implements Store<Kinds, Inputs> {
  readonly #storage: Storage;
  readonly #values: Values;
  readonly #queue: WriteQueue;
  readonly #log: StoredChangeLog;
  readonly #watches = new Set<Watch>();
  /** Operations that were called and have not settled. */
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;
  /** Aborts when the store closes. */
  readonly #closer = new AbortController();

  /** Takes over a storage. */
  constructor(config: StoreConfig) {
    this.#storage = config.storage;
    this.#values = config.values;
    this.#queue = new WriteQueue(this.#storage, config.busyTimeout, {
      beforeCommit: () => this.#log.beforeCommit(),
      mayBeCommitted: () => this.#log.mayBeCommitted(),
      afterCommit: () => this.#log.afterCommit(),
    });
    this.#log = new StoredChangeLog(
      this.#storage,
      this.#queue,
      config.history,
      config.head,
      config.openNotifier,
    );
  }

  // Reads.

  async get<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Kinds[Kind] | undefined> {
    const { signal } = copyOptions("get", options, ["signal"]);
    assertName("kind", kind);
    assertName("key", key);
    const value = await this.#read(
      "get",
      () => this.#storage.getValue(kind, key),
      signal,
    );
    return value && await this.#readValue(kind, key, value);
  }

  async entry<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Entry<Kinds[Kind]> | undefined> {
    const { signal } = copyOptions("entry", options, ["signal"]);
    assertName("kind", kind);
    assertName("key", key);
    const stored = await this.#read(
      "entry",
      () => this.#storage.getEntry(kind, key),
      signal,
    );
    return stored && await this.#readEntry(kind, stored);
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
    if (!selection.where) return await this.#track(reads.keys(kind, selection));
    const found: string[] = [];
    await this.#track(reads.select(kind, selection, (key) => found.push(key)));
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
      const count = () => this.#storage.count(kind, keys, limit);
      return await this.#read("count", count, signal);
    }
    let count = 0;
    const reads = this.#reads("count", signal);
    await this.#track(reads.select(kind, selection, () => count++));
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
    const { signal } = copyOptions("kinds", options, ["signal"]);
    const kinds = await this.#read(
      "kinds",
      () => this.#storage.listKinds(),
      signal,
    );
    return kinds as KindOf<Kinds>[];
  }

  async getAll(
    options?: OperationOptions,
  ): Promise<Map<KindOf<Kinds>, Map<string, Kinds[KindOf<Kinds>]>>> {
    const { signal } = copyOptions("getAll", options, ["signal"]);
    const all = new Map<KindOf<Kinds>, Map<string, Kinds[KindOf<Kinds>]>>();
    const use = (name: string, key: string, value: Kinds[KindOf<Kinds>]) => {
      const kind = name as KindOf<Kinds>;
      let entries = all.get(kind);
      if (!entries) all.set(kind, entries = new Map());
      entries.set(key, value);
    };
    await this.#track(this.#reads("getAll", signal).selectAll(use));
    return all;
  }

  // Writes.

  async set<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: Inputs[Kind],
    options?: WriteOptions,
  ): Promise<SetResult> {
    const { ifVersion, signal } = copyOptions("set", options, WRITE_OPTIONS);
    assertName("kind", kind);
    assertName("key", key);
    assertInteger("set", "ifVersion", ifVersion, 0);
    const next = new Eventual(this.#values.prepare(kind, key, value));
    const run = () => {
      if (ifVersion !== undefined) {
        this.#check({ kind, key, version: ifVersion });
      }
      return this.#withRevision(this.#put(kind, key, next.value));
    };
    const action = `set ${quote(kind, key)}`;
    return await this.#write({ action, ready: next.ready, run }, signal);
  }

  async setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: EntriesInput<Inputs[Kind]>,
    options?: OperationOptions,
  ): Promise<SetAllResult> {
    this.#assertWritable("setAll");
    const { signal } = copyOptions("setAll", options, ["signal"]);
    assertName("kind", kind);
    signal?.throwIfAborted();
    const preparing = prepareEntries(this.#values, kind, entries);
    const stop = new AbortController();
    const work = runInSlices(preparing, stop.signal);
    const all = new Eventual(
      work instanceof Promise ? work.then(settleAll) : settleAll(work),
    );
    try {
      return await this.#write({
        action: `setAll of kind ${quoteText(kind)}`,
        ready: all.ready,
        size: () => all.value.length,
        steps: () => this.#putAll(kind, all.value),
      }, signal);
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
    const given = copyOptions("update", options, ["initial", "signal"]);
    assertName("kind", kind);
    assertName("key", key);
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
    const run = () => {
      // A copy each time: it may run again, and the codec may give it away.
      const previous = this.#storage.getValue(kind, key) ?? initial?.slice();
      if (!previous) throw new KeyNotFoundError(kind, key);
      const result = fn(this.#decode(kind, key, previous));
      assertSynchronous("the function", kind, key, result);
      const next = this.#prepareUpdated(kind, key, result);
      assertSynchronous("the schema", kind, key, next);
      const put = this.#withRevision(this.#put(kind, key, next));
      return { ...put, value: next.value as Kinds[Kind] };
    };
    const action = `update ${quote(kind, key)}`;
    return await this.#write({ action, run }, given.signal);
  }

  #prepareUpdated(
    kind: string,
    key: string,
    value: unknown,
  ): MaybePromise<Prepared> {
    try {
      return this.#values.prepare(kind, key, value);
    } catch (cause) {
      if (value !== undefined || !(cause instanceof CodecError)) throw cause;
      throw new CodecError(
        `Cannot update ${
          quote(kind, key)
        }: the function returned undefined; return the new value`,
        { cause },
      );
    }
  }

  async delete<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: WriteOptions,
  ): Promise<Entry<Kinds[Kind]> | undefined> {
    const { ifVersion, signal } = copyOptions("delete", options, WRITE_OPTIONS);
    assertName("kind", kind);
    assertName("key", key);
    assertInteger("delete", "ifVersion", ifVersion, 0);
    const run = () => {
      if (ifVersion !== undefined) {
        this.#check({ kind, key, version: ifVersion });
      }
      const stored = this.#storage.getEntry(kind, key);
      if (!stored) return undefined;
      // First, so that what cannot be told is not lost.
      const previous = {
        ...stored,
        value: this.#decode(kind, key, stored.value),
      };
      this.#storage.remove(kind, key);
      return previous;
    };
    const action = `delete ${quote(kind, key)}`;
    return await this.#write({ action, run }, signal);
  }

  atomic(): AtomicOperation<Kinds, Inputs> {
    this.#assertOpen();
    return new AtomicBuilder<Kinds, Inputs>({
      prepare: (kind, key, value) => this.#values.prepare(kind, key, value),
      commit: (plan, signal) => this.#commit(plan, signal),
    });
  }

  kind<Kind extends KindOf<Kinds>>(
    kind: Kind,
  ): KindStore<Kinds[Kind], Inputs[Kind]> {
    assertName("kind", kind);
    return new KindHandle(this, kind);
  }

  // Watching and closing.

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
    this.#assertOpen();
    this.#storage.assertWatchable();
    return openWatch(
      this.#log,
      (kind, key, bytes) => this.#values.read(kind, key, bytes),
      this.#watches,
      kind,
      options,
    );
  }

  // Exporting and importing.

  export(
    options?: ExportOptions<KindOf<Kinds>>,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#assertOpen();
    const { signal, ...plan } = exportPlanOf(options);
    const openSnapshot = () => this.#storage.openSnapshot();
    const chunks = exportChunks({
      ...plan,
      codec: this.#values,
      openSnapshot: () => this.#read("export", openSnapshot, signal),
      assertWanted: () => {
        this.#assertOpen();
        signal?.throwIfAborted();
      },
      errorOf: (error) => this.#storage.errorOf("export", error),
    });
    return streamUntilStopped(chunks, [this.#closer.signal, signal]);
  }

  async import(
    lines: ReadableStream<Uint8Array | string>,
    options?: ImportOptions<KindOf<Kinds>>,
  ): Promise<ImportResult> {
    const plan = importPlanOf(lines, options);
    const values = this.#values;
    const target: ImportTarget<Prepared> = {
      codecOf: (kind) => values.codecOf(kind),
      prepare: (...value) => values.prepare(...value),
      accept: (...value) => values.accept(...value),
      put: (...entry) => this.#put(...entry),
      isFailure: (error) => this.#storage.isFailure(error),
      write: (job) => this.#write(job, plan.signal),
      assertWritable: () => this.#assertWritable("import"),
    };
    const signals = [this.#closer.signal, plan.signal];
    return await this.#track(importLines(target, lines, plan, signals));
  }

  async verify(options?: OperationOptions): Promise<VerifyFinding[]> {
    const { signal } = copyOptions("verify", options, ["signal"]);
    this.#assertOpen();
    const check = new Verification(this.#storage, this.#values);
    await this.#track(check.read(this.#queue, signal));
    return await check.findings(signal);
  }

  /** Runs an operation that a store has beside the contract's: `close` waits for it. */
  protected async runOwn<T>(
    operation: (queue: WriteQueue) => Promise<T>,
  ): Promise<T> {
    this.#assertOpen();
    return await this.#track(operation(this.#queue));
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    // From here on the store counts as closing, whatever a listener calls.
    await undefined;
    this.#closer.abort(new StoreClosedError());
    await this.#queue.drained();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    for (const watch of this.#watches) watch.end();
    // A watch may have had the change log begun anew.
    await this.#queue.drained();
    this.#storage.close();
  }

  // How reads are done.

  #read<T>(
    action: string,
    work: () => T,
    signal?: AbortSignal,
  ): MaybePromise<T> {
    this.#assertOpen();
    const result = this.#queue.read(action, this.#looked(work), signal);
    return result instanceof Promise ? this.#track(result) : result;
  }

  /** A read that fails if what it would read is not what others see. */
  #looked<T>(read: () => T): () => T {
    return () => {
      this.#storage.look("read");
      return read();
    };
  }

  #track<T>(operation: Promise<T>): Promise<T> {
    this.#running.add(operation);
    const done = () => this.#running.delete(operation);
    operation.then(done, done);
    return operation;
  }

  /** The reads of an operation; `close` waits for what is tracked. */
  #reads(action: string, signal?: AbortSignal): RangeReads {
    this.#assertOpen();
    return new RangeReads(
      this.#storage,
      this.#values,
      {
        read: (work) => this.#read(action, work, signal),
        readAtOnceOrInSlices: (atOnce, work) =>
          this.#queue.readAtOnceOrInSlices(
            action,
            this.#looked(atOnce),
            work,
            signal,
          ),
      },
      signal,
    );
  }

  async #select<Kind extends KindOf<Kinds>>(
    action: string,
    kind: Kind,
    range: RangeOptions<Kinds[Kind]> | undefined,
    use: (key: string, value: Kinds[Kind]) => void,
  ): Promise<void> {
    const selection = selectionOf(action, range);
    const reads = this.#reads(action, selection.signal);
    await this.#track(reads.select(kind, selection, use));
  }

  #decode<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: Uint8Array,
  ): Kinds[Kind] {
    return this.#values.decode(kind, key, value) as Kinds[Kind];
  }

  #readValue<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: Uint8Array,
  ): MaybePromise<Kinds[Kind]> {
    return this.#values.read(kind, key, value) as MaybePromise<Kinds[Kind]>;
  }

  #readEntry<Kind extends KindOf<Kinds>>(
    kind: Kind,
    stored: StoredEntry,
  ): MaybePromise<Entry<Kinds[Kind]>> {
    const value = this.#readValue(kind, stored.key, stored.value);
    return isPromise(value)
      ? Promise.resolve(value).then((value) => ({ ...stored, value }))
      : { ...stored, value };
  }

  // How writes are done, inside their transaction.

  #write<T>(job: WriteJob<T>, signal?: AbortSignal): Promise<T> {
    this.#assertWritable(job.action);
    return this.#queue.write(job, signal);
  }

  /** Throws `VersionConflictError` unless the entry has the version. */
  #check({ kind, key, version }: AtomicCheck): void {
    const actual = this.#storage.getVersion(kind, key);
    if (actual !== version) {
      throw new VersionConflictError(kind, key, version, actual);
    }
  }

  /** Writes a value, unless it counts as the one that is there. */
  #put(
    kind: string,
    key: string,
    { bytes }: Prepared,
    origin?: Origin,
  ): PutResult {
    if (this.#values.areCompared) {
      const stored = this.#storage.getEntry(kind, key);
      if (stored && this.#values.areEqual(kind, key, stored.value, bytes)) {
        return { status: "unchanged", version: stored.version };
      }
    }
    return this.#storage.put(kind, key, bytes, origin);
  }

  /** What a write's caller is told: the revision is the newest one, unless the storage says another. */
  #withRevision({ status, version, revision }: PutResult): SetResult {
    return {
      status,
      version,
      revision: revision ?? this.#storage.headRevision(),
    };
  }

  #putAll(
    kind: string,
    entries: readonly Settled<PreparedEntry>[],
  ): Generator<void, SetAllResult> {
    return this.#values.areCompared
      ? putEach(entries, ({ key, value }) => this.#put(kind, key, value))
      : putAll(
        this.#storage,
        kind,
        entries.values().map(({ key, value: { bytes } }) => ({
          key,
          value: bytes,
        })),
      );
  }

  #commit(plan: AtomicPlan, signal?: AbortSignal): Promise<AtomicResult> {
    const writes = new Eventual(settleAll(plan.writes));
    const { checks } = plan;
    const check = (check: AtomicCheck) => this.#check(check);
    const apply = (write: Settled<AtomicWrite>) => this.#apply(write);
    const revision = () => this.#storage.headRevision();
    return this.#write<AtomicResult>({
      action: "commit",
      ready: writes.ready,
      size: () => checks.length + writes.value.length,
      *steps() {
        try {
          for (const condition of checks) {
            check(condition);
            yield;
          }
        } catch (conflict) {
          if (!(conflict instanceof VersionConflictError)) throw conflict;
          return { ok: false, conflict };
        }
        for (const write of writes.value) {
          apply(write);
          yield;
        }
        return { ok: true, revision: revision() };
      },
    }, signal);
  }

  #apply({ kind, key, value }: Settled<AtomicWrite>): void {
    if (value) this.#put(kind, key, value);
    else this.#storage.remove(kind, key);
  }

  #assertOpen(): void {
    if (this.#closing) throw new StoreClosedError();
  }

  #assertWritable(action: string): void {
    this.#assertOpen();
    this.#storage.assertWritable(action);
  }
}

/** Throws a `TypeError` for a promise, inside a transaction. */
function assertSynchronous<T>(
  what: string,
  kind: string,
  key: string,
  value: MaybePromise<T>,
): asserts value is T {
  if (!isPromise(value)) return;
  throw new TypeError(
    `Cannot update ${
      quote(kind, key)
    }: ${what} returned a promise, and a transaction cannot wait for it; read the entry, then set with ifVersion`,
  );
}
