/**
 * A store behind a slow line: every answer takes a moment, and writes have
 * limits, as they have on a server. It stands on the public `Store` alone.
 *
 * A call is handed on at once, so the order of calls stays. Answers may come in
 * another order.
 *
 * @module
 */
import {
  type AtomicOperation,
  type EntriesInput,
  type ImportOptions,
  type KindStore,
  type Reads,
  type SetAllOptions,
  type Snapshot,
  type Store,
  StoreError,
  type WatchOptions,
} from "../../mod.ts";
import { setImmediate } from "node:timers";
import type { Limits, Supports } from "../../src/testing/mod.ts";
import { Random } from "./random.ts";

/** So many chunks of a stream come with one answer. */
const PAGE = 64;

/** What the far store lacks, as the conformance suite is told. */
export interface FarSupports extends Supports {
  limits: Limits;
}

/** The store, far away: every answer takes from 0 to `slowest` ms. */
export function farStore(
  store: Store,
  options: FarSupports,
  slowest: number,
): Store {
  const line = new Line(slowest);
  const size = new SizeCheck(options.limits);
  const far: Store = {
    ...farReads(store, line),
    export: (...args) => line.stream(store.export(...args)),
    snapshot: async (...args) =>
      farSnapshot(await line.answer(() => store.snapshot(...args)), line),
    history: (...args) => line.stream(store.history(...args)),
    watch:
      ((kinds: string, options?: WatchOptions) =>
        line.stream(store.watch(kinds, options))) as Store["watch"],
    watchAll:
      ((options?: WatchOptions) =>
        line.stream(store.watchAll(options))) as Store["watchAll"],
    set: (kind, key, value, options) =>
      line.answer(() => {
        size.assertFits(kind, key, value);
        return store.set(kind, key, value, options);
      }),
    setAll: (
      kind: string,
      entries: EntriesInput<unknown>,
      options?: SetAllOptions,
    ) =>
      line.answer(() =>
        store.setAll(kind, size.fitting(kind, entries), options)
      ),
    update: (kind, key, fn, options) =>
      line.answer(() =>
        store.update(kind, key, size.fittingResult(kind, key, fn), options)
      ),
    delete: (...args) => line.answer(() => store.delete(...args)),
    deleteAll: (...args) => line.answer(() => store.deleteAll(...args)),
    atomic: () => farAtomic(store.atomic(), line, size),
    import: (lines, given) =>
      line.answer(() =>
        store.import(
          lines,
          options.importedVersions === false ? withoutOrigins(given) : given,
        )
      ),
    verify: (...args) =>
      line.answer(() => {
        if (options.verify === false) throw new Error("There is no verify");
        return store.verify(...args);
      }),
    kind: (kind) => farKind(far, store.kind(kind).kind),
    async close() {
      await store.close();
      await line.idle();
    },
    [Symbol.asyncDispose]: () => far.close(),
  };
  return far;
}

function farReads(store: Reads, line: Line): Reads {
  return {
    get: (...args) => line.answer(() => store.get(...args)),
    entry: (...args) => line.answer(() => store.entry(...args)),
    has: (...args) => line.answer(() => store.has(...args)),
    getMany: (...args) => line.answer(() => store.getMany(...args)),
    list: (...args) => line.answer(() => store.list(...args)),
    keys: (...args) => line.answer(() => store.keys(...args)),
    values: (...args) => line.answer(() => store.values(...args)),
    count: (...args) => line.answer(() => store.count(...args)),
    kinds: (...args) => line.answer(() => store.kinds(...args)),
    getAll: (...args) => line.answer(() => store.getAll(...args)),
    entries: (...args) => line.stream(store.entries(...args)),
    export: (...args) => line.stream(store.export(...args)),
  };
}

function farSnapshot(snapshot: Snapshot, line: Line): Snapshot {
  const close = () => line.answer(() => snapshot.close());
  return {
    ...farReads(snapshot, line),
    revision: snapshot.revision,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The options of an import that leaves out versions and times. */
function withoutOrigins(options: ImportOptions = {}): ImportOptions {
  const { versions = true, times = true } = options;
  return {
    ...options,
    versions: versions === true ? false : versions,
    times: times === true ? false : times,
  };
}

function farKind(far: Store, kind: string): KindStore {
  return {
    kind,
    get: (...args) => far.get(kind, ...args),
    entry: (...args) => far.entry(kind, ...args),
    has: (...args) => far.has(kind, ...args),
    getMany: (...args) => far.getMany(kind, ...args),
    list: (...args) => far.list(kind, ...args),
    keys: (...args) => far.keys(kind, ...args),
    values: (...args) => far.values(kind, ...args),
    count: (...args) => far.count(kind, ...args),
    entries: (...args) => far.entries(kind, ...args),
    set: (...args) => far.set(kind, ...args),
    setAll: (entries: EntriesInput<unknown>, options?: SetAllOptions) =>
      far.setAll(kind, entries, options),
    update: (...args) => far.update(kind, ...args),
    delete: (...args) => far.delete(kind, ...args),
    deleteAll: (...args) => far.deleteAll(kind, ...args),
    history: (...args) => far.history(kind, ...args),
    watch: ((options?: WatchOptions) => far.watch(kind, options)) as KindStore[
      "watch"
    ],
  };
}

function farAtomic(
  operation: AtomicOperation,
  line: Line,
  size: SizeCheck,
): AtomicOperation {
  let changes = 0;
  const far: AtomicOperation = {
    check(...checks) {
      operation.check(...checks);
      return far;
    },
    set(kind, key, value, options) {
      size.assertFits(kind, key, value);
      operation.set(kind, key, value, options);
      changes++;
      return far;
    },
    update(kind, key, fn, options) {
      operation.update(kind, key, size.fittingResult(kind, key, fn), options);
      changes++;
      return far;
    },
    delete(kind, key) {
      operation.delete(kind, key);
      changes++;
      return far;
    },
    commit: (options) =>
      line.answer(() => {
        size.assertCount(changes);
        return operation.commit(options);
      }),
  };
  return far;
}

/** The line to the store. */
class Line {
  readonly #waiting = new Set<Promise<void>>();
  readonly #random = new Random("far");
  readonly #slowest: number;

  constructor(slowest: number) {
    this.#slowest = slowest;
  }

  /** Calls at once, and answers later. What it throws is an answer, too. */
  async answer<T>(call: () => Promise<T>): Promise<T> {
    const answer = (async () => await call())();
    const settled = answer.then(() => {}, () => {}).then(() => this.#wait());
    this.#waiting.add(settled);
    await settled;
    this.#waiting.delete(settled);
    return answer;
  }

  /** The stream, by pages; it ends or errors as the store's own does. */
  stream<T>(stream: ReadableStream<T>): ReadableStream<T> {
    const reader = stream.getReader();
    let chunks = 0;
    // While a read waits, its answer tells of the end.
    let isRead = false;
    let hasEnded = false;
    return new ReadableStream<T>({
      start(controller) {
        const end = () => isRead || hasEnded || controller.close();
        reader.closed.then(end, (error) => controller.error(error));
      },
      pull: async (controller) => {
        isRead = true;
        const { done, value } = await reader.read();
        if (chunks++ % PAGE === 0) {
          await this.answer(() => Promise.resolve());
        }
        isRead = false;
        if (hasEnded) return;
        hasEnded = done;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel(reason) {
        hasEnded = true;
        return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }

  /** Resolves when nobody waits for an answer any more. */
  async idle(): Promise<void> {
    while (this.#waiting.size > 0) await Promise.all(this.#waiting);
  }

  #wait(): Promise<void> {
    const ms = this.#random.between(0, this.#slowest);
    return new Promise((resolve) =>
      ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms)
    );
  }
}

/** Refuses what is larger than the limits. */
class SizeCheck {
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  assertFits(kind: string, key: string, value: unknown): void {
    this.#assert("nameBytes", bytesOf(kind) + bytesOf(key));
    this.#assert("valueBytes", bytesOf(asJson(value)));
  }

  assertCount(changes: number): void {
    this.#assert("changes", changes);
  }

  /** The entries; reading one too many, or one that is too large, throws. */
  fitting(
    kind: string,
    entries: EntriesInput<unknown>,
  ): Iterable<readonly [string, unknown]> {
    if (typeof entries !== "object" || entries === null) return entries;
    if (Symbol.iterator in entries) return this.#read(kind, entries);
    const prototype = Object.getPrototypeOf(entries);
    const isPlain = prototype === null || prototype === Object.prototype;
    if (isPlain) return this.#read(kind, Object.entries(entries));
    return entries as unknown as Iterable<readonly [string, unknown]>;
  }

  /** The function, which throws if its result is too large. */
  fittingResult<T>(
    kind: string,
    key: string,
    fn: (value: T) => unknown,
  ): (value: T) => unknown {
    // What is no function is the store's to refuse.
    if (typeof fn !== "function") return fn;
    return (value) => {
      const next = fn(value);
      this.assertFits(kind, key, next);
      return next;
    };
  }

  *#read(
    kind: string,
    entries: Iterable<readonly [string, unknown]>,
  ): Generator<readonly [string, unknown]> {
    let changes = 0;
    for (const entry of entries) {
      this.assertCount(++changes);
      if (Array.isArray(entry)) this.assertFits(kind, entry[0], entry[1]);
      yield entry;
    }
  }

  #assert(limit: keyof Limits, found: number): void {
    const most = this.#limits[limit];
    if (found <= most) return;
    throw new StoreError(
      "TOO_LARGE",
      `Cannot write: ${limit} is ${found}, and the limit is ${most}; write less at once`,
    );
  }
}

/** The bytes of a text in UTF-8. Whatever is no text is the store's to refuse. */
function bytesOf(text: unknown): number {
  return typeof text === "string" ? new TextEncoder().encode(text).length : 0;
}

function asJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
