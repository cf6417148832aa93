/**
 * The contract of a store, as prose and as types. {@linkcode Store} states it.
 *
 * @module
 */
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
import type { Writes } from "./writes.ts";

/**
 * A typed key-value store with change watching. Every store keeps the contract
 * below, whether its entries are in a file, in memory, or on a server.
 *
 * A value lives under a **kind** (a collection) and a **key**. Kinds and keys
 * are non-empty, well-formed strings without NUL; any other name is an
 * `InvalidNameError`. Keys are ordered by their UTF-8 bytes. An **entry** is
 * a key with its value, version, revision and times.
 *
 * Every store guarantees:
 *
 * - **C1, durable**: a resolved write survives every failure that the store was
 *   opened to survive.
 * - **C2, atomic**: `setAll` and `atomic` take effect whole or not at all.
 * - **C3, program order**: an operation sees every write that was called before
 *   it on the same store, awaited or not.
 * - **C4, isolated callers**: writes may share a transaction, but the failure of
 *   one never makes another one fail.
 * - **C5, no-op**: a write that changes neither the value nor the expiry of an
 *   entry raises no version and emits no event.
 * - **C6, versions**: an entry's version is 1 when the entry is created, unless
 *   an import gives it another, and each change adds 1. Each change in the store
 *   has a revision of its own, larger than all before it. Both are safe
 *   integers; the store refuses a write that would exceed them.
 * - **C7, cancellable**: an operation that is aborted before it begins does
 *   nothing, and rejects with `signal.reason`. An operation that has begun
 *   completes whole.
 * - **C8, never blocks**: the event loop goes on while the store waits for
 *   a lock, or for an answer.
 * - **C9, expiry**: an entry that has expired is gone at once, for every read
 *   and every condition, in every process. Its deletion is logged once.
 *
 * Every watch guarantees:
 *
 * - **W1, ordered**: events come in the order of their revisions.
 * - **W2, unique**: no event comes twice.
 * - **W3, reliable**: no event is missing, unless the stream errors with
 *   `WatchOverflowError`. No filter hides this error.
 * - **W4, atomic**: the events of one transaction come together, with no other
 *   event between them. The replay shows the store at the moment of the call;
 *   the changes after that moment follow it.
 * - **W5, resumable**: a watch resumes from the cursor of any change that is
 *   still in the change log. If the cursor is of another store, or of a change
 *   that this store has lost, the stream errors with `WatchOverflowError`.
 * - **W6, bookmarkable**: bookmarks tell how far a watch has seen, on a quiet
 *   kind too.
 * - **W7, complete**: a watch sees the writes of everyone who writes to the same
 *   storage.
 * - **W8, bounded**: a watch that nobody reads uses memory that does not grow
 *   with the number of writes.
 * - **W9, one end**: the stream closes exactly once.
 *
 * Every operation rejects with `StoreClosedError` if the store is closed, with
 * `InvalidNameError` if a kind or a key is not a valid name, and with
 * `signal.reason` when its signal aborts.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Inputs A map from kind to the type of the values to write. It
 * differs from `Kinds` if a schema converts values.
 */
export interface Store<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> extends
  Reads<Kinds>,
  Writes<Kinds, Inputs>,
  LiveReads<Kinds>,
  AsyncDisposable {
  /**
   * The operations on one kind, for code that uses only this kind.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const users = store.kind("users");
   * await users.set("al", "Alice");
   * assertEquals(await users.get("al"), "Alice");
   * ```
   */
  kind<Kind extends KindOf<Kinds>>(
    kind: Kind,
  ): KindStore<ValueOf<Kinds, Kind>, ValueOf<Inputs, Kind>>;

  /**
   * The changes of a kind from now on, as a stream.
   *
   * The stream ends when the signal aborts, when its consumer cancels it or
   * leaves the `for await`, and when the store closes. It errors with
   * `WatchOverflowError` if the change log no longer holds every change that the
   * consumer has yet to see. While somebody reads the stream, it keeps the
   * process running, unless `persistent` is `false`.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * const changes = store.watch("users");
   * await store.set("users", "al", "Alice");
   *
   * for await (const event of changes) {
   *   assertEquals([event.type, event.key, event.value], ["create", "al", "Alice"]);
   *   break; // Save `event.cursor`, and pass it as `after` to resume here.
   * }
   * ```
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
   * The changes of all kinds from now on, in one order. It includes kinds that
   * get their first entry later, and kinds that the type does not name.
   *
   * @typeParam Kind The kinds that are expected: those of the store.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "al", "Alice");
   * await store.set("teams", "red", ["al"]);
   *
   * const changes = store.watchAll({ initial: true }).getReader();
   * const first = await changes.read();
   * const second = await changes.read();
   * assertEquals([first.value?.kind, second.value?.kind], ["teams", "users"]);
   * await changes.cancel();
   * ```
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
   * The past changes of a kind, or of one of its keys, as a stream in constant
   * memory: all that the change log holds at the moment of the call. An update
   * has the `previous` value, too. The log keeps the store's last `history`
   * changes.
   *
   * The stream errors with `RevisionUnavailableError` if you ask for a change
   * that the log does not hold.
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
   * The store as it is now, or as it was at a past revision.
   *
   * @throws {RevisionUnavailableError} If the change log does not reach back to
   * that revision.
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

  /**
   * The entries as NDJSON, as they are now, or as they were at a past revision.
   * See {@linkcode Reads.export} for the form of a line.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * const { revision } = await store.set("users", "al", "Alice");
   * await store.delete("users", "al");
   *
   * const lines = store.export({ at: revision, times: false });
   * assertEquals(
   *   await new Response(lines).text(),
   *   '{"kind":"users","key":"al","value":"Alice","version":1}\n',
   * );
   * ```
   */
  export(
    options?: StoreExportOptions<KindOf<Kinds>>,
  ): ReadableStream<Uint8Array<ArrayBuffer>>;

  /**
   * Writes the entries of a stream of NDJSON, as `export` makes it. A chunk is
   * bytes or text, and may end anywhere. If an entry exists already, it is
   * written as by `set`: its version grows by 1, unless it has the value
   * already. If an entry does not exist, it is created with the version and the
   * time of its line.
   *
   * It writes transactions of up to 1000 lines, or about 1 MB, each whole or not
   * at all. If it fails, the transactions committed before stay. Importing the
   * same lines again does no harm. It reads the stream no faster than it writes,
   * and takes constant memory.
   *
   * It imports a line unaltered, or refuses it. It refuses a line if `set`
   * refuses the value, or if a part of the line cannot be kept exactly, such as
   * a property name that comes twice, a number with too many digits, or a time
   * that does not exist.
   *
   * It reads the stream to its end, or cancels it. It rejects with
   * `signal.reason` when the signal aborts, and with `StoreClosedError` when the
   * store closes. It does so at once if it waits for the stream; else when the
   * current transaction has ended.
   *
   * @throws {ImportError} If a line is refused and there is no `onRefused`, or
   * if the stream is not NDJSON.
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
   * Checks everything that is stored. It finds damage, foreign rows that are not
   * valid entries, and a change log that does not match the entries. It changes
   * nothing.
   *
   * It sees one moment: all writes that were called before it, and none that
   * come later. Its time grows with the size of the store, and it works in
   * slices: the store's other reads go on meanwhile. Writes go on, too, unless
   * this kind of store can keep one moment only by making them wait.
   *
   * It compares an entry with its last change in the change log. If that change
   * is no longer in the log, it notices an altered value only if the codec or
   * the schema refuses it, and an altered version or time not at all.
   *
   * @returns The findings; an empty array if all is sound. For each part, the
   * first hundred findings, and one more that counts the rest.
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
   * finishes the writes that wait, and ends every watch. A second call waits for
   * the same end. `await using` calls it for you.
   *
   * @example
   * ```ts
   * import { openStore, StoreClosedError } from "@zestor/store";
   * import { assertRejects } from "@std/assert";
   *
   * const store = await openStore({ path: ":memory:" });
   * const write = store.set("users", "al", "Alice");
   * await store.close();
   *
   * await write; // It was called before `close`, so it is done.
   * await assertRejects(() => store.get("users", "al"), StoreClosedError);
   * ```
   */
  close(): Promise<void>;
}
