/**
 * Opens a store: reads the options, loads the driver, inspects the file before
 * it changes it, and upgrades the file to the current format.
 *
 * @module
 */
import type { CodecsByKind } from "../values/codecs/kind_codecs.ts";
import type { AnyKinds, Store } from "../contract/mod.ts";
import type {
  InputsOf,
  InputsWith,
  OnlyKinds,
  OutputsOf,
  SchemasByKind,
  SchemasFor,
} from "../values/schemas/schema.ts";
import { compact } from "./compact.ts";
import { Checkpointer } from "./connection/checkpoints.ts";
import { connectAgain } from "./connection/connect_again.ts";
import { Database } from "./connection/database.ts";
import { assertDatabaseFile } from "./file/database_file.ts";
import type { Connection, DatabaseLocation, Driver } from "./driver/driver.ts";
import {
  claimedDriver,
  claimFile,
  type FileClaim,
} from "./driver/file_claims.ts";
import { LocalEngine } from "../local/local_engine.ts";
import { loadDriver } from "./driver/load.ts";
import { parseDsn } from "./file/dsn.ts";
import { describeStore } from "./info.ts";
import { KnownSchema } from "./format/known_schema.ts";
import { openConnection } from "./connection/open_connection.ts";
import { openError } from "./open_failure.ts";
import { OpenFiles } from "./file/open_files.ts";
import {
  readStoreOptions,
  type Settings,
  type StoreOptions,
} from "./open_options.ts";
import { prepareFile } from "./format/prepare_file.ts";
import { atRealPath } from "./file/real_path.ts";
import { SqliteKvStore, type SqliteStore } from "./sqlite_store.ts";
import { SqliteStorage } from "./storage/sqlite_storage.ts";
import { notifierOf } from "./wal_notifier.ts";

/**
 * Opens a store. It creates the file if it is missing. It upgrades a file of
 * the Go store or of plain SQL to the current format, in place.
 *
 * @typeParam Kinds A map from kind to value type. Without it, every name is a
 * kind, and values are `unknown`.
 * @param options The place of the store, and its settings.
 * @returns The store. `await using` closes it.
 * @throws {StoreOpenError} If the file is not a store's, has a newer format or
 * another codec, is missing, or is unreadable. The file is not changed.
 * @throws {StoreReadOnlyError} If the file is not writable.
 * @throws {StoreBusyError} If another connection holds the lock for longer than
 * `busyTimeout`.
 *
 * @example
 * ```ts
 * import { openStore } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * await using store = await openStore<{ users: { name: string } }>({
 *   path: ":memory:",
 * });
 * await store.set("users", "alice", { name: "Alice" });
 * assertEquals(await store.get("users", "alice"), { name: "Alice" });
 * ```
 */
export function openStore<const Schemas extends SchemasByKind>(
  options:
    & StoreOptions<NoInfer<OutputsOf<Schemas>>>
    & { schemas: Schemas },
): Promise<SqliteStore<OutputsOf<Schemas>, InputsOf<Schemas>>>;
/**
 * Opens a store with given types of kinds, and with schemas for the values to
 * write: `openStore<Kinds, typeof schemas>`. Use it if a schema converts
 * values, for example if it has defaults.
 */
export function openStore<
  Kinds extends object,
  Schemas extends SchemasFor<Kinds>,
>(
  options: StoreOptions<NoInfer<Kinds>> & {
    schemas: OnlyKinds<Kinds, Schemas>;
  },
): Promise<SqliteStore<Kinds, InputsWith<Kinds, Schemas>>>;
/** Opens a store whose kinds have the given types, or the type `unknown`. */
export function openStore<Kinds extends object = AnyKinds>(
  options: StoreOptions<NoInfer<Kinds>>,
): Promise<SqliteStore<Kinds>>;
/** Opens a store whose kinds have the types of their codecs. */
export function openStore<Kinds extends object>(
  options: StoreOptions<NoInfer<Kinds>> & { codec: CodecsByKind<Kinds> },
): Promise<SqliteStore<Kinds>>;
export async function openStore<Kinds extends object>(
  options: StoreOptions<Kinds>,
): Promise<SqliteStore<Kinds>> {
  const { path, signal, ...settings } = readStoreOptions(options);
  signal?.throwIfAborted();
  const location = atRealPath(parseDsn(path));
  const driver = await loadDriver(settings.driver, claimedDriver(location));
  signal?.throwIfAborted();
  try {
    return await openLocation<Kinds>(location, driver, settings, signal);
  } catch (error) {
    throw openError(path, location, error);
  }
}

async function openLocation<Kinds extends object>(
  location: DatabaseLocation,
  driver: Driver,
  settings: Settings,
  signal?: AbortSignal,
): Promise<SqliteKvStore<Kinds>> {
  let connection: Connection | undefined;
  let claim: FileClaim | undefined;
  try {
    assertDatabaseFile(location);
    claim = claimFile(location, driver);
    connection = openConnection(driver, location);
    // The file did not exist before.
    claim ??= claimFile(location, driver);
    const files = new OpenFiles(location);
    const database = new Database(connection, claim);
    const schema = new KnownSchema(database, connection, settings.codecs);
    const { head, checkpoints } = await prepareFile(
      { connection, schema, isReadOnly: location.mode === "ro" },
      settings,
      signal,
    );
    files.noteLogs();
    claim?.show();
    const openOther = (mode: DatabaseLocation["mode"]) =>
      connectAgain({ ...location, mode }, driver);
    const storage = new SqliteStorage(database, {
      location,
      schema,
      codecs: settings.codecs,
      files,
      // A database in memory has no second connection.
      openReader: location.memory ? undefined : () => openOther("ro"),
      checkpointer: checkpoints && new Checkpointer({
        ...checkpoints,
        database,
        openSecond: () => openOther("rw"),
        areInPlace: () => files.areInPlace(),
      }),
    });
    const { busyTimeout, history, values } = settings;
    const engine = new LocalEngine({
      storage,
      busyTimeout,
      history,
      head,
      openNotifier: notifierOf(location),
    });
    const place = { engine: "sqlite", location: location.path };
    const described = { location, driver: driver.name };
    return new SqliteKvStore<Kinds>({ engine, values, place, busyTimeout }, {
      location,
      driver,
      copyTo: (path) => storage.copyTo(path),
      openCopy: (path) => openCopy(path, driver, settings),
      describe: () => describeStore({ ...described, database, storage }),
      compact: (turns, options) =>
        compact({ location, database, storage }, turns, options),
    });
  } catch (error) {
    try {
      connection?.close();
    } catch {
      // The first error counts.
    }
    claim?.release();
    throw error;
  }
}

/** Opens a copy of a store to read it, with the same settings. */
async function openCopy(
  path: string,
  driver: Driver,
  settings: Settings,
): Promise<Store> {
  const location = atRealPath({ path, mode: "ro" });
  try {
    return await openLocation(location, driver, settings);
  } catch (error) {
    throw openError(path, location, error);
  }
}
