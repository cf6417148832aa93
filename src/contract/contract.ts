/**
 * The contract that every store keeps: its types, and what they promise.
 *
 * Values live under a **kind** (a collection) and a **key**. Kinds and keys are
 * non-empty, well-formed strings without NUL, anything else is an
 * `InvalidNameError`; keys are ordered by their UTF-8 bytes.
 *
 * Every store guarantees:
 *
 * - **C1, durable**: a resolved write is on disk, to the degree the store was
 *   opened for.
 * - **C2, atomic**: `setAll` and `atomic` take effect whole or not at all.
 * - **C3, program order**: an operation sees every write that was called before
 *   it on the same store, awaited or not.
 * - **C4, isolated callers**: writes that share a transaction never fail each
 *   other.
 * - **C5, no-op**: a write that changes nothing bumps no version and emits no
 *   event.
 * - **C6, versions**: an entry's version is 1 when it is created, or what an
 *   import gives it, and grows by 1 with each change; revisions are one
 *   ascending number for the whole store, one for each change. Both are safe
 *   integers: a write that would go past those is refused.
 * - **C7, cancellable**: an aborted operation that has not begun does nothing
 *   and rejects with `signal.reason`; one that has begun completes whole.
 * - **C8, never blocks**: waiting for a lock never blocks the event loop.
 *
 * And of every watch:
 *
 * - **W1, ordered**: events come in the order of their revisions.
 * - **W2, unique**: no event comes twice.
 * - **W3, reliable**: no event is missing, unless the stream errors with
 *   `WatchOverflowError`; no filter hides that.
 * - **W4, atomic**: the events of one transaction are contiguous; replay and
 *   subscription are one step, at the moment of the call, replay first.
 * - **W5, resumable** from any revision that is still in the change log.
 * - **W6, bookmarkable**: bookmarks tell how far a watch has seen, on a quiet
 *   kind too.
 * - **W7, complete**: the writes of everyone who writes to the same storage
 *   appear.
 * - **W8, bounded**: a watcher that is not read costs no memory that grows with
 *   the writes.
 * - **W9**: the stream closes exactly once.
 *
 * @module
 */
import type { VersionConflictError } from "./errors.ts";

/** The kinds of a store opened without a type: any name, values unknown. */
export type AnyKinds = Record<string, unknown>;

/** The names of the kinds in a map from kind to value type. */
export type KindOf<Kinds> = Extract<keyof Kinds, string>;

/** What every operation takes. */
export interface OperationOptions {
  /**
   * Cancels the operation: it rejects with `signal.reason`. A write that has
   * begun when the signal aborts completes, and resolves.
   */
  signal?: AbortSignal;
}

/** A stored value and what the store knows of it. */
export interface Entry<T = unknown> {
  /** The key, unique within its kind. */
  key: string;
  /** The value, decoded. */
  value: T;
  /** 1 when the entry was created, 1 more with each change. */
  version: number;
  /** When the entry was last changed, to the millisecond, by the writer's clock. */
  updatedAt: Date;
}

/** A key and its value. */
export interface KeyValue<T = unknown> {
  /** The key, unique within its kind. */
  key: string;
  /** The value, decoded. */
  value: T;
}

/**
 * Which entries of a kind, and in which order. All conditions must hold.
 *
 * @typeParam T The kind's values.
 */
export interface RangeOptions<T = unknown> extends OperationOptions {
  /** Only keys that begin with this string. */
  prefix?: string;
  /** The first key, inclusive. */
  start?: string;
  /** The end of the keys, exclusive; not before `start`. */
  end?: string;
  /** At most so many entries, counted after `where`; 0 or more. @default {Infinity} */
  limit?: number;
  /** From the last key to the first. @default {false} */
  reverse?: boolean;
  /**
   * Only entries for which this returns true. It decodes every value in the
   * range. It is synchronous, and a `TypeError` unless it returns a boolean. It
   * runs again for an entry if the read had to begin anew, for a lock.
   */
  where?: (key: string, value: T) => boolean;
}

/** Options of `set`, and of `delete`. */
export interface WriteOptions extends OperationOptions {
  /**
   * Write only if the entry has this version now, 0 for "does not exist".
   * Else the write is refused with `VersionConflictError`.
   */
  ifVersion?: number;
}

/**
 * Options of `update`.
 *
 * @typeParam T The kind's values.
 */
export interface UpdateOptions<T = unknown> extends OperationOptions {
  /** What to start from where there is no value. Without it, that is a `KeyNotFoundError`. */
  initial?: T;
}

/** What a write did to its entry. */
export type SetStatus = "created" | "updated" | "unchanged";

/** What `set` did. */
export interface SetResult {
  /** `"unchanged"`: the value was there already, and nothing was written. */
  status: SetStatus;
  /** The entry's version now. */
  version: number;
  /** The revision of this change; where nothing changed, the store's latest. */
  revision: number;
}

/**
 * What `update` did.
 *
 * @typeParam T The kind's values.
 */
export interface UpdateResult<T = unknown> extends SetResult {
  /** What the function returned, as it was written. */
  value: T;
}

/** What `setAll` did: how many entries of each status. */
export interface SetAllResult {
  /** Entries that were not there before. */
  created: number;
  /** Entries whose value changed. */
  updated: number;
  /** Entries whose value was there already. */
  unchanged: number;
}

/**
 * What `setAll` takes: a `Map` or another iterable of pairs, or an object.
 *
 * @typeParam T The kind's values.
 */
export type EntriesInput<T> =
  | Iterable<readonly [key: string, value: T]>
  | Readonly<Record<string, T>>;

/** A condition of an atomic operation. */
export interface AtomicCheck<Kind extends string = string> {
  /** The entry's kind. */
  kind: Kind;
  /** The entry's key. */
  key: string;
  /** The version that the entry must have; 0 for "must not exist". */
  version: number;
}

/** What an atomic operation's `commit` did. */
export type AtomicResult =
  | {
    /** Every check held, and everything was written. */
    ok: true;
    /** The revision of the last change; where nothing changed, the store's latest. */
    revision: number;
  }
  | {
    /** A check failed, and nothing was written. */
    ok: false;
    /** The first check that failed. */
    conflict: VersionConflictError;
  };

/**
 * Several writes, to several keys of several kinds, that take effect together
 * or not at all. Built by chaining, run by `commit`, once.
 *
 * @typeParam Kinds The store's kinds and their values.
 */
export interface AtomicOperation<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> {
  /**
   * Adds conditions: all must hold when the operation is committed. A call that
   * throws adds none of them.
   */
  check(...checks: AtomicCheck<KindOf<Kinds>>[]): this;
  /**
   * Adds a write. The value is encoded now, unless its schema is asynchronous.
   * What the codec refuses raises `CodecError`; what the schema refuses is the
   * commit's `ValidationError`.
   */
  set<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: Inputs[Kind],
  ): this;
  /** Adds a deletion; it does nothing where there is no such key. */
  delete(kind: KindOf<Kinds>, key: string): this;
  /**
   * Checks every condition, then does every write in the order it was added,
   * in one transaction. If its signal aborts before it begins, the operation
   * can be committed again; else nothing can be done with it any more.
   */
  commit(options?: OperationOptions): Promise<AtomicResult>;
}

/** The type of a change. */
export type ChangeType = "create" | "update" | "delete";

/**
 * One change of one entry.
 *
 * @typeParam T The kind's values.
 */
export interface WatchEvent<T = unknown> {
  /** What happened. A replayed entry is a `"create"`. */
  type: ChangeType;
  /** The entry's kind. */
  kind: string;
  /** The entry's key. */
  key: string;
  /** The new value; for `"delete"` the one that was deleted. */
  value: T;
  /** The entry's version after the change; for `"delete"` the last one it had. */
  version: number;
  /**
   * The change's number in the whole store, to resume `after`. A replayed entry
   * has 0: in the middle of a replay there is nothing to resume from, and
   * `after: 0` never skips an entry. The bookmark at the replay's end does.
   */
  revision: number;
}

/** Tells that a watch has seen everything up to a revision. */
export interface WatchBookmark {
  /** Marks it as a bookmark. */
  type: "bookmark";
  /** Resume `after` this revision. */
  revision: number;
}

/** Options of `watch`. */
export interface WatchOptions {
  /**
   * Replay what is there at the moment of the call as `create` events, in key
   * order, then go live. Not together with `after`.
   * @default {false}
   */
  initial?: boolean;
  /** Only changes of these types; replayed entries count as `"create"`. @default {all} */
  types?: readonly ChangeType[];
  /** Only this key. Not together with `prefix`. */
  key?: string;
  /** Only keys that begin with this string. */
  prefix?: string;
  /**
   * Resume: every change past this revision, then live. A revision that the
   * change log does not reach, or has not reached yet, errors the stream with
   * `WatchOverflowError`.
   */
  after?: number;
  /**
   * How many events the watch may hold in memory ahead of its consumer, at
   * least 1. It bounds memory, not how far the consumer may fall behind: that
   * is the store's `history`.
   * @default {128}
   */
  bufferSize?: number;
  /**
   * Also emit a bookmark when a replay is complete, and now and then while
   * other kinds change and this one does not, so that a revision that a
   * consumer saved does not fall off the change log.
   * @default {false}
   */
  bookmarks?: boolean;
  /**
   * Whether a stream that is being read keeps the process running, as a timer
   * does. One that does not may be told later of what other processes write.
   * @default {true}
   */
  persistent?: boolean;
  /** Ends the stream; it closes, as when the consumer cancels it. */
  signal?: AbortSignal;
}

/**
 * Options of `export`.
 *
 * @typeParam Kind The names of the store's kinds.
 */
export interface ExportOptions<Kind extends string = string>
  extends OperationOptions {
  /** Only these kinds; one that has no entries gives no lines. @default {all} */
  kinds?: readonly Kind[];
  /** Whether lines tell the entries' versions. @default {true} */
  versions?: boolean;
  /** Whether lines tell when the entries were last changed. @default {true} */
  times?: boolean;
}

/**
 * Options of `import`.
 *
 * @typeParam Kind The names of the store's kinds.
 */
export interface ImportOptions<Kind extends string = string>
  extends OperationOptions {
  /** Only lines of these kinds; others are skipped. @default {all} */
  kinds?: readonly Kind[];
  /** Whether an entry that is created gets its line's version, if it tells one, else 1. @default {true} */
  versions?: boolean;
  /** Whether an entry that is created gets its line's time, if it tells one, else now. @default {true} */
  times?: boolean;
  /**
   * Called after each transaction, with what has been done so far. A promise
   * that it returns is waited for; if it throws or rejects, so does the import.
   */
  onProgress?: (soFar: ImportResult) => void;
  /**
   * Called for each line that cannot be imported, in their order, when the
   * transaction of the lines around it has been committed. Without it, the
   * first one is an `ImportError`. With it, that is if none of the first 10
   * lines is an entry, or none of 100 in a row: the stream is no NDJSON. Its
   * promises and errors are as those of `onProgress`.
   */
  onRefused?: (refused: RefusedLine) => void;
}

/** What `import` did, in numbers of lines. */
export interface ImportResult {
  /** Lines that were read, empty ones too. */
  lines: number;
  /** Entries that were not there before. */
  created: number;
  /** Entries whose value changed. */
  updated: number;
  /** Entries whose value was there already. */
  unchanged: number;
  /** Lines of kinds that were not asked for. */
  skipped: number;
  /** Lines that could not be imported. */
  refused: number;
}

/** A line that could not be imported. */
export interface RefusedLine {
  /** Its number, from 1. */
  line: number;
  /** Why. */
  reason: string;
}

/** A part of what a store keeps, as a check names it. */
export type VerifyPart = "file" | "entries" | "log" | "triggers" | "foreign";

/** Something that a check found wrong. */
export interface VerifyFinding {
  /**
   * Where: in the storage itself (`"file"`), in the entries, in the change log,
   * in what writes the log (`"triggers"`), or in what others added to the tables
   * that acts on writes (`"foreign"`): what is stored is sound.
   */
  part: VerifyPart;
  /** What is wrong, and what to do about it. */
  message: string;
  /** The entry's kind, where it is about an entry, or a change of one. */
  kind?: string;
  /** The entry's key, where it is about an entry, or a change of one. */
  key?: string;
  /** The change's revision, where it is about a change. */
  revision?: number;
}

/**
 * A typed key-value store with change watching. The module's comment states
 * what every store guarantees.
 *
 * Every operation rejects with `StoreClosedError` once the store is closed,
 * with `InvalidNameError` for a kind or key that cannot be one, and with
 * `signal.reason` when its signal aborts.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Inputs A map from kind to the type of what may be written: another
 * where the kind's schema makes something else of it.
 */
export interface Store<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> extends AsyncDisposable {
  /** The value, or `undefined` where there is none. */
  get<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Kinds[Kind] | undefined>;

  /** The value with its version and time, or `undefined` where there is none. */
  entry<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Entry<Kinds[Kind]> | undefined>;

  /** The values by key, in key order, as of one moment. For a large kind prefer `entries`. */
  list<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<Map<string, Kinds[Kind]>>;

  /** The keys, in key order, as of one moment. */
  keys<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<string[]>;

  /** The keys with their values, in key order, as of one moment. */
  values<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<KeyValue<Kinds[Kind]>[]>;

  /** How many entries there are. */
  count<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): Promise<number>;

  /**
   * The entries as a stream, in key order, in constant memory, read a page at
   * a time: at most 256 entries, and 1 MiB of stored values. Each page is as of one moment; an entry that changes meanwhile
   * comes once, as it is when the stream reaches it. When the signal aborts the
   * stream errors with `signal.reason`.
   */
  entries<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<Kinds[Kind]>,
  ): ReadableStream<Entry<Kinds[Kind]>>;

  /** The kinds that have entries, in order. */
  kinds(options?: OperationOptions): Promise<KindOf<Kinds>[]>;

  /** Everything, by kind, then by key, as of one moment. */
  getAll(
    options?: OperationOptions,
  ): Promise<Map<KindOf<Kinds>, Map<string, Kinds[KindOf<Kinds>]>>>;

  /**
   * Writes a value. It is encoded before the call returns, unless its schema
   * is asynchronous. Like every write, it rejects with `ValidationError` where
   * the kind's schema refuses a value, and writes nothing.
   */
  set<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: Inputs[Kind],
    options?: WriteOptions,
  ): Promise<SetResult>;

  /**
   * Writes several values of a kind, all or nothing: those of a `Map`, or of
   * any iterable of pairs. Of a key that comes twice the last value counts.
   * Keys that are not named stay. Events come in key order. Entries beyond the
   * first few thousand are read from `entries` after the call has returned, so
   * do not change it until the promise settles. If that rejects, the iteration
   * of `entries` has been ended, as `break` ends a loop.
   */
  setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: Iterable<readonly [key: string, value: Inputs[Kind]]>,
    options?: OperationOptions,
  ): Promise<SetAllResult>;
  /** Writes several values of a kind, all or nothing: an object's own properties. */
  setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: Readonly<Record<string, Inputs[Kind]>>,
    options?: OperationOptions,
  ): Promise<SetAllResult>;
  /** Writes several values of a kind, all or nothing. */
  setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: EntriesInput<Inputs[Kind]>,
    options?: OperationOptions,
  ): Promise<SetAllResult>;

  /**
   * Replaces a value by what a function makes of it, atomically.
   *
   * The function runs inside the transaction, so it is synchronous, must not
   * use the store, and may run again if the transaction it shared could not be
   * committed. What it throws rejects the call, and nothing is written. The
   * kind's schema has to be synchronous, too.
   */
  update<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    fn: (value: Kinds[Kind]) => Inputs[Kind],
    options?: UpdateOptions<Kinds[Kind]>,
  ): Promise<UpdateResult<Kinds[Kind]>>;

  /**
   * Deletes an entry, and gives what it was, or `undefined` where there was
   * none. What the codec cannot decode it cannot give, so it stays, with
   * a `CodecError`; an atomic operation deletes without looking.
   */
  delete<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: WriteOptions,
  ): Promise<Entry<Kinds[Kind]> | undefined>;

  /** Begins an operation on several keys and kinds. */
  atomic(): AtomicOperation<Kinds, Inputs>;

  /** The operations on one kind, which is then not named again. */
  kind<Kind extends KindOf<Kinds>>(
    kind: Kind,
  ): KindStore<Kinds[Kind], Inputs[Kind]>;

  /**
   * The changes of a kind from now on, as a stream.
   *
   * It ends when the signal aborts, when its consumer cancels it or leaves the
   * `for await`, and when the store closes. It errors with `WatchOverflowError`
   * when the change log no longer holds what the consumer has yet to see. While
   * it is being read it keeps the process running, unless it is not
   * `persistent`.
   */
  watch<Kind extends KindOf<Kinds>>(
    kind: Kind,
    options: WatchOptions & { bookmarks: true },
  ): ReadableStream<WatchEvent<Kinds[Kind]> | WatchBookmark>;
  /** The changes of a kind from now on, as a stream. */
  watch<Kind extends KindOf<Kinds>>(
    kind: Kind,
    options?: WatchOptions & { bookmarks?: false },
  ): ReadableStream<WatchEvent<Kinds[Kind]>>;
  /** The changes of a kind from now on, as a stream. */
  watch<Kind extends KindOf<Kinds>>(
    kind: Kind,
    options?: WatchOptions,
  ): ReadableStream<WatchEvent<Kinds[Kind]> | WatchBookmark>;

  /**
   * The entries as NDJSON, a line for each, by kind and key; every chunk ends
   * with the end of a line. It is of one moment, that of the first read,
   * whoever writes meanwhile, and takes constant memory.
   *
   * A line is an object with `kind`, `key`, `value`, `version` and `updatedAt`.
   * Where JSON cannot say the value so that its codec makes the same bytes of
   * it again, `codec` (its name) and `bytes` (in base64) stand for `value`.
   *
   * In a file it is read through a connection of its own until the stream ends,
   * or is cancelled: meanwhile a write-ahead log is not cut back, and with
   * a rollback journal those who write wait. A database in memory is copied.
   * When the signal aborts the stream errors with `signal.reason`, and when the
   * store closes, with `StoreClosedError`: at once, whether it is read or not.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "alice", { name: "Alice" });
   *
   * const text = await new Response(store.export({ times: false })).text();
   * assertEquals(
   *   text,
   *   '{"kind":"users","key":"alice","value":{"name":"Alice"},"version":1}\n',
   * );
   * ```
   */
  export(
    options?: ExportOptions<KindOf<Kinds>>,
  ): ReadableStream<Uint8Array<ArrayBuffer>>;

  /**
   * Writes the entries of a stream of NDJSON, as `export` makes it: chunks of
   * bytes or text, wherever they are cut. An entry that is there already is
   * written as `set` writes it, so that its version grows by 1 unless it has
   * the value; one that is not is created with its line's version and time.
   *
   * It writes by transactions of up to 1000 lines, or about 1 MB, each whole or
   * not at all; those that are committed stay when it fails later. Importing
   * the same again does no harm. It reads the stream no faster than it writes,
   * and takes constant memory.
   *
   * A line is kept as it is or refused: if `set` refuses its value, or if
   * anything that it says would be altered, such as a name that comes twice,
   * a number with more digits than a number keeps, or a time that does not
   * exist.
   *
   * It reads the stream to its end or cancels it. When the signal aborts it
   * rejects with `signal.reason`, and when the store closes, with
   * `StoreClosedError`: at once, whatever the stream waits for, or when the
   * transaction that it has called is finished.
   *
   * @throws {ImportError} If a line cannot be imported and there is no
   * `onRefused`, or if the stream is no NDJSON.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using from = await openStore({ path: ":memory:" });
   * await using to = await openStore({ path: ":memory:" });
   * await from.set("users", "alice", { name: "Alice" });
   *
   * const { created, refused } = await to.import(from.export());
   * assertEquals([created, refused], [1, 0]);
   * assertEquals(
   *   await to.entry("users", "alice"),
   *   await from.entry("users", "alice"),
   * );
   * ```
   */
  import(
    lines: ReadableStream<Uint8Array | string>,
    options?: ImportOptions<KindOf<Kinds>>,
  ): Promise<ImportResult>;

  /**
   * Looks through everything that is stored for what should not be: damage,
   * what others wrote that is no entry, a change log that does not tell what
   * the entries say. It changes nothing.
   *
   * It sees one moment: all writes that were called before it, and none that
   * come later. It takes time in proportion to what is stored, in slices. The
   * store's other operations go on meanwhile. A write-ahead log is not cut back
   * until the check has ended.
   *
   * In a file with a rollback journal, and in an SQLite database in memory,
   * reads go on, but writes wait until the check has ended. The store's own
   * writes wait for as long as it takes, those of others up to their
   * `busyTimeout`. If that is too long, use `backup`: it checks the copy.
   *
   * SQLite's own check of the whole database comes first. That is one call: the
   * event loop waits for it, about 10 ms for each MB.
   *
   * It does not find another value, version or time of an entry whose last
   * change is no longer in the log, unless the codec or a schema refuses it.
   *
   * @returns What was found: nothing, where all is sound. Of each part the
   * first hundred findings, and a last one that counts the others.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "alice", { name: "Alice" });
   *
   * const findings = await store.verify();
   * for (const { part, message } of findings) console.error(part, message);
   * assertEquals(findings, []);
   * ```
   */
  verify(options?: OperationOptions): Promise<VerifyFinding[]>;

  /**
   * Closes the store: refuses new operations, stops imports and exports,
   * finishes the writes that wait, ends every watch. Calling it again waits for
   * the same.
   */
  close(): Promise<void>;
}

/**
 * The operations of a store on one of its kinds. Each is that of
 * {@linkcode Store}.
 *
 * @typeParam T The kind's values.
 * @typeParam Input What may be written.
 */
export interface KindStore<T = unknown, Input = T> {
  /** The kind. */
  readonly kind: string;
  /** The value, or `undefined` where there is none. */
  get(key: string, options?: OperationOptions): Promise<T | undefined>;
  /** The value with its version and time, or `undefined` where there is none. */
  entry(key: string, options?: OperationOptions): Promise<Entry<T> | undefined>;
  /** The values by key, in key order, as of one moment. */
  list(range?: RangeOptions<T>): Promise<Map<string, T>>;
  /** The keys, in key order, as of one moment. */
  keys(range?: RangeOptions<T>): Promise<string[]>;
  /** The keys with their values, in key order, as of one moment. */
  values(range?: RangeOptions<T>): Promise<KeyValue<T>[]>;
  /** How many entries there are. */
  count(range?: RangeOptions<T>): Promise<number>;
  /** The entries as a stream, in key order, in constant memory. */
  entries(range?: RangeOptions<T>): ReadableStream<Entry<T>>;
  /** Writes a value. */
  set(key: string, value: Input, options?: WriteOptions): Promise<SetResult>;
  /** Writes several values, all or nothing. */
  setAll(
    entries: Iterable<readonly [key: string, value: Input]>,
    options?: OperationOptions,
  ): Promise<SetAllResult>;
  /** Writes several values, all or nothing: an object's own properties. */
  setAll(
    entries: Readonly<Record<string, Input>>,
    options?: OperationOptions,
  ): Promise<SetAllResult>;
  /** Writes several values, all or nothing. */
  setAll(
    entries: EntriesInput<Input>,
    options?: OperationOptions,
  ): Promise<SetAllResult>;
  /** Replaces a value by what a function makes of it, atomically. */
  update(
    key: string,
    fn: (value: T) => Input,
    options?: UpdateOptions<T>,
  ): Promise<UpdateResult<T>>;
  /** Deletes an entry, and gives what it was. */
  delete(key: string, options?: WriteOptions): Promise<Entry<T> | undefined>;
  /** The changes from now on, as a stream. */
  watch(
    options: WatchOptions & { bookmarks: true },
  ): ReadableStream<WatchEvent<T> | WatchBookmark>;
  /** The changes from now on, as a stream. */
  watch(
    options?: WatchOptions & { bookmarks?: false },
  ): ReadableStream<WatchEvent<T>>;
  /** The changes from now on, as a stream. */
  watch(
    options?: WatchOptions,
  ): ReadableStream<WatchEvent<T> | WatchBookmark>;
}
