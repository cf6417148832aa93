/**
 * A typed key-value store with change watching, on one SQLite file.
 *
 * Values live under a kind and a key. Every store keeps the contract that
 * {@linkcode Store} documents, and every watch etcd's guarantees: ordered,
 * unique, gap-free, resumable. `@zestor/store/postgres` opens the same store in
 * a PostgreSQL database.
 *
 * @example
 * ```ts
 * import { openStore } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * await using store = await openStore<{ users: { name: string } }>({
 *   path: ":memory:",
 * });
 * const { revision } = await store.set("users", "alice", { name: "Alice" });
 * await store.set("users", "alice", { name: "Alicia" }, { ifRevision: revision });
 *
 * for await (const event of store.watch("users", { after: revision })) {
 *   assertEquals(event.type, "update");
 *   assertEquals(event.value.name, "Alicia");
 *   break; // To go on later, save `event.cursor`, and watch `after` it.
 * }
 * await using past = await store.snapshot({ at: revision });
 * assertEquals(await past.get("users", "alice"), { name: "Alice" });
 * ```
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
export {
  type Connection,
  type DatabaseLocation,
  type Driver,
  type Row,
  SqlError,
  type SqlFailure,
  type SqlValue,
  type Statement,
} from "./src/sqlite/driver/driver.ts";
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
