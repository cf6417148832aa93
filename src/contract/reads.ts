/**
 * The reads of a store, and of a snapshot.
 *
 * @module
 */
import type { Entry, KeyValue, RangeOptions } from "./entry.ts";
import type { AnyKinds, KindOf, ValueOf } from "./kinds.ts";
import type { OperationOptions } from "./operation.ts";
import type { ExportOptions } from "./transfer.ts";

/**
 * The reads of a store, or of a snapshot. An entry that has expired is never
 * read.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface Reads<Kinds extends object = AnyKinds> {
  /**
   * The value, or `undefined` if there is no entry.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "al", "Alice");
   *
   * assertEquals(await store.get("users", "al"), "Alice");
   * assertEquals(await store.get("users", "bo"), undefined);
   * ```
   */
  get<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<ValueOf<Kinds, Kind> | undefined>;

  /**
   * The value with its version, revision and times, or `undefined` if there is
   * no entry.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "al", "Alice");
   *
   * const entry = await store.entry("users", "al");
   * assertEquals([entry?.value, entry?.version, entry?.revision], ["Alice", 1, 1]);
   * ```
   */
  entry<Kind extends KindOf<Kinds>>(
    kind: Kind,
    key: string,
    options?: OperationOptions,
  ): Promise<Entry<ValueOf<Kinds, Kind>> | undefined>;

  /**
   * Whether the entry exists. It does not read the value.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "al", "Alice");
   *
   * assertEquals(await store.has("users", "al"), true);
   * ```
   */
  has(
    kind: KindOf<Kinds>,
    key: string,
    options?: OperationOptions,
  ): Promise<boolean>;

  /**
   * The values of several keys, by key, as of one moment. They come in the order
   * of `keys`. A key without an entry is left out, and a key that is given twice
   * comes once.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.setAll("users", { al: "Alice", bo: "Bob" });
   *
   * const found = await store.getMany("users", ["bo", "eve", "al"]);
   * assertEquals([...found], [["bo", "Bob"], ["al", "Alice"]]);
   * ```
   */
  getMany<Kind extends KindOf<Kinds>>(
    kind: Kind,
    keys: Iterable<string>,
    options?: OperationOptions,
  ): Promise<Map<string, ValueOf<Kinds, Kind>>>;

  /**
   * The values by key, in key order, as of one moment. For a large kind, prefer
   * `entries`.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.setAll("users", { "eu/al": "Alice", "us/bo": "Bob" });
   *
   * const users = await store.list("users", { prefix: "eu/" });
   * assertEquals([...users], [["eu/al", "Alice"]]);
   * ```
   */
  list<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<ValueOf<Kinds, Kind>>,
  ): Promise<Map<string, ValueOf<Kinds, Kind>>>;

  /**
   * The keys, in key order, as of one moment.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.setAll("users", { bo: "Bob", al: "Alice", cy: "Cyd" });
   *
   * const page = await store.keys("users", { limit: 2 });
   * assertEquals(page, ["al", "bo"]);
   * const next = await store.keys("users", { limit: 2, startAfter: page.at(-1) });
   * assertEquals(next, ["cy"]);
   * ```
   */
  keys<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<ValueOf<Kinds, Kind>>,
  ): Promise<string[]>;

  /**
   * The keys with their values, in key order, as of one moment.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ scores: number }>({ path: ":memory:" });
   * await store.setAll("scores", { ann: 3, bob: 7 });
   *
   * const high = await store.values("scores", { where: (_key, n) => n > 5 });
   * assertEquals(high, [{ key: "bob", value: 7 }]);
   * ```
   */
  values<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<ValueOf<Kinds, Kind>>,
  ): Promise<KeyValue<ValueOf<Kinds, Kind>>[]>;

  /**
   * The number of entries.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.setAll("users", { al: "Alice", bo: "Bob" });
   *
   * assertEquals(await store.count("users", { prefix: "a" }), 1);
   * ```
   */
  count<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<ValueOf<Kinds, Kind>>,
  ): Promise<number>;

  /**
   * The entries as a stream, in key order, in constant memory. It reads pages of
   * at most 256 entries, and at most 1 MiB of stored values. Each page is of one
   * moment. If an entry changes while the stream is read, it comes once, as it is
   * when the stream reaches it. When the signal aborts, the stream errors with
   * `signal.reason`.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.setAll("users", { al: "Alice", bo: "Bob" });
   *
   * const names = [];
   * for await (const { value } of store.entries("users")) names.push(value);
   * assertEquals(names, ["Alice", "Bob"]);
   * ```
   */
  entries<Kind extends KindOf<Kinds>>(
    kind: Kind,
    range?: RangeOptions<ValueOf<Kinds, Kind>>,
  ): ReadableStream<Entry<ValueOf<Kinds, Kind>>>;

  /**
   * The kinds that have entries, in order. It includes kinds that the type does
   * not name.
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
   * assertEquals(await store.kinds(), ["teams", "users"]);
   * ```
   */
  kinds<Kind extends KindOf<Kinds> = KindOf<Kinds>>(
    options?: OperationOptions,
  ): Promise<Kind[]>;

  /**
   * All values, by kind, then by key, as of one moment. It includes kinds that
   * the type does not name.
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
   *
   * const all = await store.getAll();
   * assertEquals(all.get("users")?.get("al"), "Alice");
   * ```
   */
  getAll<Kind extends KindOf<Kinds> = KindOf<Kinds>>(
    options?: OperationOptions,
  ): Promise<Map<Kind, Map<string, ValueOf<Kinds, Kind>>>>;

  /**
   * The entries as NDJSON, one line an entry, by kind and key. Each chunk ends
   * at the end of a line. All lines are of one moment, which is that of the
   * first read, also if others write meanwhile. It takes constant memory.
   *
   * A line is an object with `kind`, `key`, `value`, `version`, `updatedAt`, and
   * `expiresAt` if the entry expires. If JSON cannot express the value exactly,
   * the line has `codec` (the codec's name) and `bytes` (in base64) instead of
   * `value`.
   *
   * The store keeps that moment until the stream ends or is cancelled. This may
   * take disk space, or make writers wait: see the store that you open. The
   * stream errors with `signal.reason` when the signal aborts, and with
   * `StoreClosedError` when the store closes. It does so at once, also if nobody
   * reads it.
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
}
