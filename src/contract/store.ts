/**
 * The contract that every store keeps, whether it keeps its entries in a file,
 * in memory, or on a server.
 *
 * Values live under a **kind** (a collection) and a **key**. Kinds and keys are
 * non-empty, well-formed strings without NUL, anything else is an
 * `InvalidNameError`; keys are ordered by their UTF-8 bytes.
 *
 * Every store guarantees:
 *
 * - **C1, durable**: a resolved write survives every failure that the store was
 *   opened to survive.
 * - **C2, atomic**: `setAll` and `atomic` take effect whole or not at all.
 * - **C3, program order**: an operation sees every write that was called before
 *   it on the same store, awaited or not.
 * - **C4, isolated callers**: writes that share a transaction never fail each
 *   other.
 * - **C5, no-op**: a write that changes nothing bumps no version and emits no
 *   event. An entry is its value and its expiry.
 * - **C6, versions**: an entry's version is 1 when it is created, or what an
 *   import gives it, and grows by 1 with each change; revisions are one
 *   ascending number for the whole store, one for each change. Both are safe
 *   integers: a write that would go past those is refused.
 * - **C7, cancellable**: an aborted operation that has not begun does nothing
 *   and rejects with `signal.reason`; one that has begun completes whole.
 * - **C8, never blocks**: waiting for others, for a lock or an answer, never
 *   blocks the event loop.
 * - **C9, expiry**: an entry that has expired is gone at once, for every read
 *   and every condition, in every process. Its deletion is logged once.
 *
 * And of every watch:
 *
 * - **W1, ordered**: events come in the order of their revisions.
 * - **W2, unique**: no event comes twice.
 * - **W3, reliable**: no event is missing, unless the stream errors with
 *   `WatchOverflowError`; no filter hides that.
 * - **W4, atomic**: the events of one transaction are contiguous; replay and
 *   subscription are one step, at the moment of the call, replay first.
 * - **W5, resumable** from the cursor of any change that is still in the change
 *   log. A cursor of another store, or of changes that this one has lost, errors
 *   the stream with `WatchOverflowError`.
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
import type { AtomicOperation } from "./atomic.ts";
import type { KeyRangeOptions } from "./entry.ts";
import type { KindStore } from "./kind_store.ts";
import type { AnyKinds, KindOf, ValueOf } from "./kinds.ts";
import type { LiveReads } from "./live_reads.ts";
import type { OperationOptions } from "./operation.ts";
import type { Reads } from "./reads.ts";
import type { Snapshot, SnapshotOptions } from "./snapshot.ts";
import type {
  ImportOptions,
  ImportResult,
  StoreExportOptions,
} from "./transfer.ts";
import type { VerifyFinding } from "./verify.ts";
import type {
  HistoryChange,
  HistoryOptions,
  KindsEvent,
  WatchBookmark,
  WatchEvent,
  WatchOptions,
} from "./watch.ts";
import type {
  DeleteAllResult,
  DeletedEntry,
  DeleteOptions,
  EntriesInput,
  SetAllOptions,
  SetAllResult,
  SetOptions,
  SetResult,
  UpdateOptions,
  UpdateResult,
} from "./write.ts";

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
> extends Reads<Kinds>, LiveReads<Kinds>, AsyncDisposable {
  /**
   * Writes a value. It is encoded before the call returns, unless its schema
   * is asynchronous. Like every write, it rejects with `ValidationError` if the
   * kind's schema refuses a value, and writes nothing.
   *
   * @throws {VersionConflictError} If the entry is not as the condition says.
   */
  set<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    value: ValueOf<Inputs, Kind>,
    options?: SetOptions,
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
    entries: Iterable<readonly [key: string, value: ValueOf<Inputs, Kind>]>,
    options?: SetAllOptions,
  ): Promise<SetAllResult>;
  /** Writes several values of a kind, all or nothing: an object's own properties. */
  setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: Readonly<Record<string, ValueOf<Inputs, Kind>>>,
    options?: SetAllOptions,
  ): Promise<SetAllResult>;
  /** Writes several values of a kind, all or nothing. */
  setAll<Kind extends KindOf<Kinds>>(
    kind: Kind,
    entries: EntriesInput<ValueOf<Inputs, Kind>>,
    options?: SetAllOptions,
  ): Promise<SetAllResult>;

  /**
   * Replaces a value by what a function makes of it, atomically.
   *
   * The function runs inside the transaction, so it is synchronous, must not
   * use the store, and may run again if the transaction it shared could not be
   * committed. What it throws rejects the call, and nothing is written. The
   * kind's schema has to be synchronous, too.
   *
   * The entry keeps its expiry, unless `expireIn` gives another.
   *
   * @throws {VersionConflictError} If the entry is not as the condition says.
   */
  update<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    fn: (value: ValueOf<Kinds, Kind>) => ValueOf<Inputs, Kind>,
    options?: UpdateOptions<ValueOf<Kinds, Kind>>,
  ): Promise<UpdateResult<ValueOf<Kinds, Kind>>>;

  /**
   * Deletes an entry, and gives what it was, or `undefined` if there was none.
   * If the codec cannot decode the value, it rejects with `CodecError`, and the
   * entry stays; an atomic operation and `deleteAll` delete without reading.
   *
   * @throws {VersionConflictError} If the entry is not as the condition says.
   */
  delete<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: DeleteOptions,
  ): Promise<DeletedEntry<ValueOf<Kinds, Kind>> | undefined>;

  /**
   * Deletes all entries of a kind, or those of a range of keys, in one
   * transaction. Each gives a `delete` event, in key order.
   */
  deleteAll(
    kind: KindOf<Kinds>,
    range?: KeyRangeOptions,
  ): Promise<DeleteAllResult>;

  /**
   * Begins an operation on several keys and kinds.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ stock: number; orders: string }>({
   *   path: ":memory:",
   * });
   * await store.set("stock", "tea", 5);
   *
   * const result = await store.atomic()
   *   .check({ kind: "orders", key: "1", exists: false })
   *   .update("stock", "tea", (n) => n - 1)
   *   .set("orders", "1", "tea")
   *   .commit();
   * assertEquals(result.ok && result.results[0].value, 4);
   * ```
   */
  atomic(): AtomicOperation<Kinds, Inputs>;

  /** The operations on one kind, which is then not named again. */
  kind<Kind extends KindOf<Kinds>>(
    kind: Kind,
  ): KindStore<ValueOf<Kinds, Kind>, ValueOf<Inputs, Kind>>;

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
  ): ReadableStream<WatchEvent<ValueOf<Kinds, Kind>, Kind> | WatchBookmark>;
  /** The changes of a kind from now on, as a stream. */
  watch<Kind extends KindOf<Kinds>>(
    kind: Kind,
    options?: WatchOptions & { bookmarks?: false },
  ): ReadableStream<WatchEvent<ValueOf<Kinds, Kind>, Kind>>;
  /** The changes of a kind from now on, as a stream. */
  watch<Kind extends KindOf<Kinds>>(
    kind: Kind,
    options?: WatchOptions,
  ): ReadableStream<WatchEvent<ValueOf<Kinds, Kind>, Kind> | WatchBookmark>;
  /** The changes of several kinds from now on, in one order. */
  watch<Kind extends KindOf<Kinds>>(
    kinds: readonly Kind[],
    options: WatchOptions & { bookmarks: true },
  ): ReadableStream<KindsEvent<Kinds, Kind> | WatchBookmark>;
  /** The changes of several kinds from now on, in one order. */
  watch<Kind extends KindOf<Kinds>>(
    kinds: readonly Kind[],
    options?: WatchOptions & { bookmarks?: false },
  ): ReadableStream<KindsEvent<Kinds, Kind>>;
  /** The changes of several kinds from now on, in one order. */
  watch<Kind extends KindOf<Kinds>>(
    kinds: readonly Kind[],
    options?: WatchOptions,
  ): ReadableStream<KindsEvent<Kinds, Kind> | WatchBookmark>;

  /**
   * The changes of all kinds from now on, in one order; of those, too, that come
   * later, and of those that the type does not name.
   *
   * @typeParam Kind The kinds that are expected: those of the store.
   */
  watchAll<Kind extends KindOf<Kinds> = KindOf<Kinds>>(
    options: WatchOptions & { bookmarks: true },
  ): ReadableStream<KindsEvent<Kinds, Kind> | WatchBookmark>;
  /** The changes of all kinds from now on, in one order. */
  watchAll<Kind extends KindOf<Kinds> = KindOf<Kinds>>(
    options?: WatchOptions & { bookmarks?: false },
  ): ReadableStream<KindsEvent<Kinds, Kind>>;
  /** The changes of all kinds from now on, in one order. */
  watchAll<Kind extends KindOf<Kinds> = KindOf<Kinds>>(
    options?: WatchOptions,
  ): ReadableStream<KindsEvent<Kinds, Kind> | WatchBookmark>;

  /**
   * The changes of a kind, or of one of its keys, that are in the change log,
   * up to the moment of the call, as a stream in constant memory. Updates tell
   * the value before. The log keeps the store's last `history` changes.
   *
   * The stream errors with `RevisionUnavailableError` if the log does not hold
   * every change that was asked for.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "alice", 1);
   * await store.set("users", "alice", 2);
   * await store.delete("users", "alice");
   *
   * const changes = await Array.fromAsync(store.history("users", "alice"));
   * assertEquals(
   *   changes.map(({ type, value }) => [type, value]),
   *   [["create", 1], ["update", 2], ["delete", 2]],
   * );
   * ```
   */
  history<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key?: string,
    options?: HistoryOptions,
  ): ReadableStream<HistoryChange<ValueOf<Kinds, Kind>, Kind>>;

  /**
   * The store as it is now, or as it was at a past revision that the change log
   * reaches.
   *
   * @throws {RevisionUnavailableError} If the log does not reach that revision.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * const { revision } = await store.set("users", "alice", { name: "Alice" });
   * await store.set("users", "alice", { name: "Alicia" });
   *
   * await using past = await store.snapshot({ at: revision });
   * assertEquals(await past.get("users", "alice"), { name: "Alice" });
   * ```
   */
  snapshot(options?: SnapshotOptions): Promise<Snapshot<Kinds>>;

  /** The entries as NDJSON, as they are now, or were at a past revision. */
  export(
    options?: StoreExportOptions<KindOf<Kinds>>,
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
   * Checks everything that is stored. It finds damage, rows of others that are
   * no entries, and a change log that does not match the entries. It changes
   * nothing.
   *
   * It sees one moment: all writes that were called before it, and none that
   * come later. It takes time in proportion to what is stored, in slices. The
   * store's other reads go on meanwhile. Its writes go on, too, unless the kind
   * of store cannot keep a moment without making them wait.
   *
   * It does not find another value, version or time of an entry whose last
   * change is no longer in the log, unless the codec or a schema refuses it.
   *
   * @returns What was found: nothing, if all is sound. For each part, the first
   * hundred findings, and a last one that counts the others.
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
