/**
 * A typed key-value store with change watching, on one SQLite file. No server,
 * no build step, no generated code.
 *
 * ```sh
 * deno add jsr:@zestor/store
 * ```
 *
 * @example A watch that goes on where it stopped
 * ```ts
 * import { openStore } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * interface Kinds {
 *   users: { name: string };
 * }
 * const path = await Deno.makeTempFile({ suffix: ".db" }); // Such as "app.db".
 *
 * let store = await openStore<Kinds>({ path });
 * await store.set("users", "alice", { name: "Alice" });
 * let cursor: string | undefined;
 * for await (const event of store.watch("users", { after: 0 })) {
 *   cursor = event.cursor; // Save it when the event has been handled.
 *   break;
 * }
 * await store.set("users", "alice", { name: "Alicia" });
 * await store.close();
 *
 * // After a restart, the watch goes on after the saved cursor.
 * store = await openStore<Kinds>({ path });
 * for await (const event of store.watch("users", { after: cursor })) {
 *   assertEquals([event.type, event.value.name], ["update", "Alicia"]);
 *   break;
 * }
 * await store.close();
 * await Deno.remove(path);
 * ```
 *
 * @example A transaction, and a snapshot of the past
 * ```ts
 * import { openStore } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * await using store = await openStore<{ stock: number }>({ path: ":memory:" });
 * const { revision } = await store.set("stock", "tea", 5);
 *
 * const result = await store.atomic()
 *   .check({ kind: "stock", key: "tea", revision })
 *   .set("stock", "tea", 4)
 *   .set("stock", "mate", 1)
 *   .commit();
 * assertEquals(result.ok, true);
 *
 * await using past = await store.snapshot({ at: revision });
 * assertEquals([...await past.list("stock")], [["tea", 5]]);
 * ```
 *
 * ## Guarantees
 *
 * - **Writes** are durable when they resolve, atomic, and in program order.
 *   Writes that wait share one transaction and one fsync.
 * - **Watches** have etcd's guarantees: every change, in order, once, without
 *   a gap, and resumable after a restart. They also see the writes of other
 *   processes.
 * - **Expired entries** are gone at once, and each gives one event.
 *
 * {@linkcode Store} states the whole contract, C1 to C9 and W1 to W9. The
 * conformance suite in `@zestor/store/testing` tests it.
 *
 * ## Where to go on
 *
 * - {@linkcode openStore} and {@linkcode StoreOptions}: opening a store.
 * - {@linkcode Store}: all operations.
 * - {@linkcode Mirror}: live queries, read without `await`.
 * - {@linkcode StoreError}: the errors.
 * - `@zestor/store/memory`: the same store in memory, for tests and caches.
 * - `@zestor/store/postgres`: the same store in a PostgreSQL database.
 * - `@zestor/store/yaml`, `/structured` and `/protobuf`: codecs.
 * - `@zestor/store/inspector`: a page in the browser that shows a store, live.
 * - `@zestor/store/cli`: the command `zestor`.
 * - `@zestor/store/driver`: for an SQLite binding of your own.
 * - [A tutorial](https://github.com/zestor-dev/zestor-deno/blob/main/docs/start.md),
 *   [recipes](https://github.com/zestor-dev/zestor-deno/blob/main/docs/recipes.md),
 *   and [the guarantees in detail](https://github.com/zestor-dev/zestor-deno/blob/main/docs/guarantees.md).
 * - [Source and issues](https://github.com/zestor-dev/zestor-deno).
 *
 * @module
 */
export { openStore } from "./src/sqlite/open_store.ts";
export type { SqliteStore } from "./src/sqlite/sqlite_store.ts";
export type { StoreOptions } from "./src/sqlite/open_options.ts";
export type { Durability } from "./src/sqlite/format/prepare_file.ts";
export type { BackupOptions } from "./src/sqlite/backup/backup.ts";
export type { CompactResult } from "./src/sqlite/compact.ts";
export type { LogInfo, StoreInfo } from "./src/sqlite/info.ts";
export type { RememberedCodecs } from "./src/values/codecs/remembered_codecs.ts";
export type { DriverChoice } from "./src/sqlite/driver/load.ts";
export type { Codec } from "./src/values/codecs/codec.ts";
export type {
  CodecOption,
  CodecsByKind,
} from "./src/values/codecs/kind_codecs.ts";
export { json } from "./src/values/codecs/json.ts";
export type { CommonOptions } from "./src/store/store_options.ts";
export type {
  InputsOf,
  InputsWith,
  OnlyKinds,
  OutputsOf,
  Schema,
  SchemaInput,
  SchemaOutput,
  SchemasByKind,
  SchemasFor,
} from "./src/values/schemas/schema.ts";
export type * from "./src/contract/mod.ts";
export {
  CodecError,
  type CodecErrorOptions,
  type EntryCondition,
  type FoundEntryState,
  ImportError,
  InvalidNameError,
  KeyNotFoundError,
  RevisionUnavailableError,
  type RevisionUnavailableReason,
  StoreBusyError,
  StoreClosedError,
  StoreCorruptError,
  StoreError,
  type StoreErrorCode,
  StoreFullError,
  StoreOpenError,
  StoreReadOnlyError,
  StoreTooLargeError,
  StoreUnavailableError,
  StoreUnsupportedError,
  UnknownOutcomeError,
  ValidationError,
  type ValidationIssue,
  VersionConflictError,
  WatchOverflowError,
  type WatchOverflowReason,
} from "./src/contract/errors.ts";
