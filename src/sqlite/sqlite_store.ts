/**
 * The store on one SQLite connection: each operation as statements, run in
 * order by the write queue.
 *
 * @module
 */
import { AtomicBuilder, type AtomicPlan, type AtomicWrite } from "../atomic.ts";
import type { KindCodecs } from "../codec/kind_codecs.ts";
import type {
  AnyKinds,
  AtomicCheck,
  AtomicOperation,
  AtomicResult,
  EntriesInput,
  Entry,
  KeyValue,
  KindOf,
  OperationOptions,
  RangeOptions,
  SetAllResult,
  SetResult,
  Store,
  UpdateOptions,
  UpdateResult,
  WatchBookmark,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "../contract.ts";
import { type EncodedEntry, encodeEntries } from "../entries_input.ts";
import {
  KeyNotFoundError,
  quote,
  StoreClosedError,
  StoreReadOnlyError,
  VersionConflictError,
} from "../errors.ts";
import { type KeyRange, rangeOf, rangePast } from "../key_range.ts";
import { assertName } from "../names.ts";
import { assertInteger, assertOptions } from "../options.ts";
import { runInSlices, Slice } from "../slice.ts";
import { openWatch, type Watch } from "../watch/watch_stream.ts";
import type { Database } from "./database.ts";
import type { Row } from "./driver/driver.ts";
import type { OpenNotifier } from "./wal_notifier.ts";
import {
  type Columns,
  COMPARE_VALUE,
  countRange,
  DELETE_ENTRY,
  GET_ENTRY,
  GET_VALUE,
  GET_VERSION,
  INSERT_ENTRY,
  LIST_ALL,
  LIST_KINDS,
  rangeParams,
  selectRange,
  UPDATE_ENTRY,
} from "./queries.ts";
import { headRevision } from "./revisions.ts";
import { SqliteChangeLog } from "./sqlite_change_log.ts";
import { singleStep, type WriteJob, WriteQueue } from "./write_queue.ts";

/** How many entries a stream, or a filtered read, reads at once. */
const PAGE_SIZE = 256;

/** What `openStore` hands over. */
export interface SqliteStoreConfig {
  readonly database: Database;
  readonly codecs: KindCodecs;
  /** The driver's name. */
  readonly driver: string;
  /** In ms. */
  readonly busyTimeout: number;
  /** How many changes the log keeps. */
  readonly history: number;
  readonly readOnly: boolean;
  /** How to be notified of what others write. */
  readonly openNotifier: OpenNotifier;
  /** The change log's newest revision; absent where a read-only file has no log. */
  readonly head?: number;
}

/** A store on an open connection. */
export class ConnectedStore<Kinds extends object = AnyKinds>
  implements Store<Kinds> {
  readonly driver: string;
  readonly #config: SqliteStoreConfig;
  readonly #database: Database;
  readonly #codecs: KindCodecs;
  readonly #queue: WriteQueue;
  readonly #log: SqliteChangeLog;
  readonly #watches = new Set<Watch>();
  /** Operations that were called and have not settled. */
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** Takes over an open connection to a file of the current format. */
  constructor(config: SqliteStoreConfig) {
    this.driver = config.driver;
    this.#config = config;
    this.#database = config.database;
    this.#codecs = config.codecs;
    this.#queue = new WriteQueue(this.#database, config.busyTimeout, {
      beforeCommit: () => this.#log.beforeCommit(),
      afterCommit: () => this.#log.afterCommit(),
    });
    this.#log = new SqliteChangeLog(
      this.#database,
      this.#queue,
      config.history,
      config.head ?? 0,
      config.openNotifier,
    );
  }

  // Reads.

  async get<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Kinds[Kind] | undefined> {
    assertOptions("get", options, ["signal"]);
    assertName("kind", kind);
    assertName("key", key);
    const row = await this.#read(
      "get",
      () => this.#database.get(GET_VALUE, kind, key),
      options?.signal,
    );
    return row && this.#decode(kind, key, row);
  }

  async entry<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Entry<Kinds[Kind]> | undefined> {
    assertOptions("entry", options, ["signal"]);
    assertName("kind", kind);
    assertName("key", key);
    const row = await this.#read(
      "entry",
      () => this.#database.get(GET_ENTRY, kind, key),
      options?.signal,
    );
    return row && this.#toEntry(kind, row);
  }

  async list<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<Map<string, Kinds[Kind]>> {
    const entries = await this.#select("list", kind, range);
    return new Map(entries.map(({ key, value }) => [key, value]));
  }

  async keys<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<string[]> {
    assertName("kind", kind);
    const keys = rangeOf("keys", range);
    if (range?.where) {
      return (await this.#select("keys", kind, range)).map(({ key }) => key);
    }
    const rows = await this.#read(
      "keys",
      () => this.#selectRows("key", kind, keys, range),
      range?.signal,
    );
    return rows.map((row) => row.key as string);
  }

  async values<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<KeyValue<Kinds[Kind]>[]> {
    return await this.#select("values", kind, range);
  }

  async count<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<number> {
    assertName("kind", kind);
    const keys = rangeOf("count", range);
    if (range?.where) return (await this.#select("count", kind, range)).length;
    const row = await this.#read(
      "count",
      () =>
        this.#database.get(
          countRange(keys),
          ...rangeParams(kind, keys),
          sqlLimit(range?.limit),
        ),
      range?.signal,
    );
    return row!.count as number;
  }

  entries<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): ReadableStream<Entry<Kinds[Kind]>> {
    this.#assertOpen();
    assertName("kind", kind);
    const keys = rangeOf("entries", range);
    return ReadableStream.from(this.#streamEntries(kind, keys, range ?? {}));
  }

  async kinds(options?: OperationOptions): Promise<KindOf<Kinds>[]> {
    assertOptions("kinds", options, ["signal"]);
    const rows = await this.#read(
      "kinds",
      () => this.#database.all(LIST_KINDS),
      options?.signal,
    );
    return rows.map((row) => row.kind as KindOf<Kinds>);
  }

  async getAll(
    options?: OperationOptions,
  ): Promise<Map<KindOf<Kinds>, Map<string, Kinds[KindOf<Kinds>]>>> {
    assertOptions("getAll", options, ["signal"]);
    const rows = await this.#read(
      "getAll",
      () => this.#database.all(LIST_ALL),
      options?.signal,
    );
    const all = new Map<KindOf<Kinds>, Map<string, Kinds[KindOf<Kinds>]>>();
    for (const row of rows) {
      const kind = row.kind as KindOf<Kinds>;
      const key = row.key as string;
      let entries = all.get(kind);
      if (!entries) all.set(kind, entries = new Map());
      entries.set(key, this.#decode(kind, key, row));
    }
    return all;
  }

  // Writes.

  async set<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: Kinds[Kind],
    options?: WriteOptions,
  ): Promise<SetResult> {
    assertOptions("set", options, ["ifVersion", "signal"]);
    assertName("kind", kind);
    assertName("key", key);
    const ifVersion = options?.ifVersion;
    assertInteger("set", "ifVersion", ifVersion, 0);
    const encoded = this.#codecs.encode(kind, key, value);
    const put = () => {
      if (ifVersion !== undefined) {
        this.#check({ kind, key, version: ifVersion });
      }
      const put = this.#put(kind, key, encoded);
      return { ...put, revision: this.#revision };
    };
    const job = singleStep(`set ${quote(kind, key)}`, put);
    return await this.#write(job, options?.signal);
  }

  async setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: EntriesInput<Kinds[Kind]>,
    options?: OperationOptions,
  ): Promise<SetAllResult> {
    this.#assertWritable("setAll");
    assertOptions("setAll", options, ["signal"]);
    assertName("kind", kind);
    options?.signal?.throwIfAborted();
    let encoded: EncodedEntry[] = [];
    const work = runInSlices(
      encodeEntries(this.#codecs, kind, entries),
      options?.signal,
    );
    const ready = work instanceof Promise
      ? work.then((result) => encoded = result)
      : undefined;
    if (!(work instanceof Promise)) encoded = work;
    const put = ({ key, value }: EncodedEntry) => this.#put(kind, key, value);
    return await this.#write({
      action: `setAll of kind ${JSON.stringify(kind)}`,
      ready,
      severalStatements: true,
      *run() {
        const counts = { created: 0, updated: 0, unchanged: 0 };
        for (const entry of encoded) {
          counts[put(entry).status]++;
          yield;
        }
        return counts;
      },
    }, options?.signal);
  }

  async update<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    fn: (value: Kinds[Kind]) => Kinds[Kind],
    options?: UpdateOptions<Kinds[Kind]>,
  ): Promise<UpdateResult<Kinds[Kind]>> {
    assertOptions("update", options, ["initial", "signal"]);
    assertName("kind", kind);
    assertName("key", key);
    if (typeof fn !== "function") {
      throw new TypeError(
        `Cannot update ${quote(kind, key)}: expected a function, received ${
          Deno.inspect(fn)
        }`,
      );
    }
    const initial = options?.initial === undefined
      ? undefined
      : { value: this.#codecs.encode(kind, key, options.initial) };
    const update = () => {
      const row = this.#database.get(GET_VALUE, kind, key) ?? initial;
      if (!row) throw new KeyNotFoundError(kind, key);
      const value = fn(this.#decode(kind, key, row));
      assertSynchronous(kind, key, value);
      const encoded = this.#codecs.encode(kind, key, value);
      const put = this.#put(kind, key, encoded);
      return { ...put, revision: this.#revision, value };
    };
    const job = singleStep(`update ${quote(kind, key)}`, update);
    return await this.#write(job, options?.signal);
  }

  async delete<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: WriteOptions,
  ): Promise<Entry<Kinds[Kind]> | undefined> {
    assertOptions("delete", options, ["ifVersion", "signal"]);
    assertName("kind", kind);
    assertName("key", key);
    const ifVersion = options?.ifVersion;
    assertInteger("delete", "ifVersion", ifVersion, 0);
    const remove = () => {
      if (ifVersion !== undefined) {
        this.#check({ kind, key, version: ifVersion });
      }
      const row = this.#database.get(GET_ENTRY, kind, key);
      if (!row) return undefined;
      // First, so that what cannot be told is not lost.
      const previous = this.#toEntry(kind, row);
      this.#database.run(DELETE_ENTRY, kind, key);
      return previous;
    };
    const job = singleStep(`delete ${quote(kind, key)}`, remove);
    return await this.#write(job, options?.signal);
  }

  atomic(): AtomicOperation<Kinds> {
    this.#assertOpen();
    return new AtomicBuilder<Kinds>({
      encode: (kind, key, value) => this.#codecs.encode(kind, key, value),
      commit: (plan, options) => this.#commit(plan, options),
    });
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
    if (this.#config.head === undefined) {
      throw new StoreReadOnlyError(
        "Cannot watch: the file has no change log, and was opened read-only; open it once with mode=rwc",
      );
    }
    return openWatch(
      this.#log,
      (kind, key, bytes) => this.#codecs.decode(kind, key, bytes),
      this.#watches,
      kind,
      options,
    );
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#queue.drained();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    for (const watch of this.#watches) watch.end();
    this.#database.close();
  }

  // How reads are done.

  #read<T>(action: string, work: () => T, signal?: AbortSignal): Promise<T> {
    this.#assertOpen();
    return this.#track(this.#queue.read(action, work, signal));
  }

  #track<T>(operation: Promise<T>): Promise<T> {
    this.#running.add(operation);
    const done = () => this.#running.delete(operation);
    operation.then(done, done);
    return operation;
  }

  async #select<Kind extends KindOf<Kinds>>(
    action: string,
    kind: Kind,
    range: RangeOptions<Kinds[Kind]> | undefined,
  ): Promise<KeyValue<Kinds[Kind]>[]> {
    assertName("kind", kind);
    const keys = rangeOf(action, range);
    if (range?.where) {
      const read = () =>
        this.#database.snapshot(() => this.#selectWhere(kind, keys, range));
      return await this.#read(action, read, range.signal);
    }
    const rows = await this.#read(
      action,
      () => this.#selectRows("value", kind, keys, range),
      range?.signal,
    );
    return rows.map((row) => this.#toKeyValue(kind, row));
  }

  #selectRows(
    columns: Columns,
    kind: string,
    keys: KeyRange,
    range: { limit?: number; reverse?: boolean } = {},
  ): Row[] {
    return this.#database.all(
      selectRange(columns, keys, range.reverse ?? false),
      ...rangeParams(kind, keys),
      sqlLimit(range.limit),
    );
  }

  /** The entries that pass `where`, read by pages so as to stop at the limit. */
  #selectWhere<Kind extends KindOf<Kinds>>(
    kind: Kind,
    keys: KeyRange,
    { where, limit = Infinity, reverse = false }: RangeOptions<Kinds[Kind]>,
  ): KeyValue<Kinds[Kind]>[] {
    const found: KeyValue<Kinds[Kind]>[] = [];
    let rest = keys;
    while (found.length < limit) {
      const rows = this.#selectRows("value", kind, rest, {
        limit: PAGE_SIZE,
        reverse,
      });
      for (const row of rows) {
        if (found.length >= limit) break;
        const entry = this.#toKeyValue(kind, row);
        if (where!(entry.key, entry.value)) found.push(entry);
      }
      if (rows.length < PAGE_SIZE) break;
      rest = rangePast(rest, rows[PAGE_SIZE - 1].key as string, reverse);
    }
    return found;
  }

  async *#streamEntries<Kind extends KindOf<Kinds>>(
    kind: Kind,
    keys: KeyRange,
    range: RangeOptions<Kinds[Kind]>,
  ): AsyncGenerator<Entry<Kinds[Kind]>> {
    const { where, limit = Infinity, reverse = false, signal } = range;
    const slice = new Slice();
    let rest = keys;
    let left = limit;
    while (left > 0) {
      if (slice.isUsedUp) await slice.nextTurn();
      const size = where ? PAGE_SIZE : Math.min(PAGE_SIZE, left);
      const rows = await this.#read(
        "entries",
        () => this.#selectRows("entry", kind, rest, { limit: size, reverse }),
        signal,
      );
      for (const row of rows) {
        signal?.throwIfAborted();
        const entry = this.#toEntry(kind, row);
        if (where && !where(entry.key, entry.value)) continue;
        yield entry;
        if (--left === 0) return;
      }
      if (rows.length < size) return;
      rest = rangePast(rest, rows[size - 1].key as string, reverse);
    }
  }

  #decode<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    row: Row,
  ): Kinds[Kind] {
    const bytes = row.value as Uint8Array;
    return this.#codecs.decode(kind, key, bytes) as Kinds[Kind];
  }

  #toKeyValue<Kind extends KindOf<Kinds>>(
    kind: Kind,
    row: Row,
  ): KeyValue<Kinds[Kind]> {
    const key = row.key as string;
    return { key, value: this.#decode(kind, key, row) };
  }

  #toEntry<Kind extends KindOf<Kinds>>(
    kind: Kind,
    row: Row,
  ): Entry<Kinds[Kind]> {
    return {
      ...this.#toKeyValue(kind, row),
      version: row.version as number,
      updatedAt: new Date(row.updated_at as string),
    };
  }

  // How writes are done, inside their transaction.

  #write<T>(job: WriteJob<T>, signal?: AbortSignal): Promise<T> {
    this.#assertWritable(job.action);
    return this.#queue.write(job, signal);
  }

  /** Throws `VersionConflictError` unless the entry has the version. */
  #check({ kind, key, version }: AtomicCheck): void {
    const row = this.#database.get(GET_VERSION, kind, key);
    const actual = row ? row.version as number : 0;
    if (actual !== version) {
      throw new VersionConflictError(kind, key, version, actual);
    }
  }

  #put(
    kind: string,
    key: string,
    value: Uint8Array,
  ): Omit<SetResult, "revision"> {
    const row = this.#database.get(COMPARE_VALUE, value, kind, key);
    const version = row ? row.version as number : 0;
    if (row?.same) return { status: "unchanged", version };
    if (row) this.#database.run(UPDATE_ENTRY, value, kind, key);
    else this.#database.run(INSERT_ENTRY, kind, key, value);
    return { status: row ? "updated" : "created", version: version + 1 };
  }

  get #revision(): number {
    return headRevision(this.#database);
  }

  #commit(plan: AtomicPlan, options?: OperationOptions): Promise<AtomicResult> {
    const check = (check: AtomicCheck) => this.#check(check);
    const apply = (write: AtomicWrite) => this.#apply(write);
    const revision = () => this.#revision;
    return this.#write<AtomicResult>({
      action: "commit",
      severalStatements: true,
      *run() {
        try {
          plan.checks.forEach(check);
        } catch (conflict) {
          if (!(conflict instanceof VersionConflictError)) throw conflict;
          return { ok: false, conflict };
        }
        for (const write of plan.writes) {
          apply(write);
          yield;
        }
        return { ok: true, revision: revision() };
      },
    }, options?.signal);
  }

  #apply({ kind, key, value }: AtomicWrite): void {
    if (value) this.#put(kind, key, value);
    else this.#database.run(DELETE_ENTRY, kind, key);
  }

  #assertOpen(): void {
    if (this.#closing) throw new StoreClosedError();
  }

  #assertWritable(action: string): void {
    this.#assertOpen();
    if (!this.#config.readOnly) return;
    throw new StoreReadOnlyError(
      `Cannot ${action}: the store was opened read-only; open it with mode=rwc`,
    );
  }
}

function sqlLimit(limit = Infinity): number {
  return limit === Infinity ? -1 : limit;
}

function assertSynchronous(kind: string, key: string, value: unknown): void {
  if (typeof (value as PromiseLike<unknown> | null)?.then !== "function") {
    return;
  }
  throw new TypeError(
    `Cannot update ${
      quote(kind, key)
    }: the function returned a promise, and a transaction cannot wait for it; read the entry, then set with ifVersion`,
  );
}
