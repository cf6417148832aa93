/**
 * Opens a store: reads the options, loads the driver, looks at the file before
 * anything in it is changed, and brings it to the current format.
 *
 * @module
 */
import { resolve } from "node:path";
import type { CodecsByKind } from "../codec/kind_codecs.ts";
import type { AnyKinds, OperationOptions, Store } from "../contract.ts";
import { CodecError, StoreOpenError } from "../errors.ts";
import {
  assertChoice,
  assertInteger,
  assertOptions,
  assertType,
  copyOptions,
} from "../options.ts";
import { KvStore, type StoreConfig } from "../store/kv_store.ts";
import {
  COMMON_OPTIONS,
  type CommonOptions,
  type CommonSettings,
  readCommonOptions,
} from "../store/store_options.ts";
import type {
  InputsOf,
  OutputsOf,
  SchemasByKind,
} from "../validation/schema.ts";
import {
  backUp,
  type BackupOptions,
  type BackupSource,
  readBackupRequest,
} from "./backup.ts";
import { Database } from "./database.ts";
import { assertDatabaseFile, isInPlace } from "./database_file.ts";
import {
  type Connection,
  type Driver,
  type Location,
  SqlError,
} from "./driver/driver.ts";
import { assertUnclaimed, claimFile } from "./driver/file_claims.ts";
import { type DriverChoice, loadDriver } from "./driver/load.ts";
import { parseDsn } from "./dsn.ts";
import { isBusy, storeError } from "./failure.ts";
import { describeStore, type StoreInfo } from "./info.ts";
import { KnownSchema } from "./known_schema.ts";
import { openConnection } from "./open_connection.ts";
import {
  type Durability,
  type FileSettings,
  prepareFile,
} from "./prepare_file.ts";
import { SqliteStorage } from "./sqlite_storage.ts";
import { notifierOf } from "./wal_notifier.ts";

export type { Durability };

/**
 * Options of {@linkcode openStore}.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface StoreOptions<Kinds extends object = AnyKinds>
  extends CommonOptions<Kinds> {
  /**
   * The database: a path, a `file:` URL, `":memory:"`, or a DSN such as
   * `file:app.db?mode=ro`. Its parameters are `mode` (`ro`, `rw`, `rwc` or
   * `memory`) and `cache` (`shared` lets the stores of this process share
   * a database in memory); any other is an error.
   */
  path: string | URL;
  /**
   * The SQLite binding. `"ffi"` is `@db/sqlite`: it needs `--allow-ffi`, which
   * gives a script the whole process. `"builtin"` is `node:sqlite`: file
   * permissions are enough. `"auto"` is the first where FFI is permitted and
   * the binding loads, else the second.
   * @default {"auto"}
   */
  driver?: DriverChoice;
  /** How long an operation waits for another connection's lock, in ms. @default {5000} */
  busyTimeout?: number;
  /**
   * Keep a write-ahead log, so that readers and the writer do not wait for each
   * other. `false` uses a rollback journal: one file, slower, for file systems
   * without shared memory.
   * @default {true}
   */
  wal?: boolean;
  /** What a resolved write survives. @default {"full"} */
  durability?: Durability;
  /**
   * Overwrite what is deleted or replaced in the file with zeros, at the price
   * of more to write (https://sqlite.org/pragma.html#pragma_secure_delete).
   * Values stay readable all the same: in the change log, which keeps the value
   * before each change until it is pruned; in the `-wal` until it is
   * overwritten; in backups; in what others delete; and on the disk, if it
   * keeps old blocks.
   * @default {false}
   */
  secureDelete?: boolean;
}

/**
 * A store in an SQLite file.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Inputs A map from kind to the type of what may be written.
 */
export interface SqliteStore<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> extends Store<Kinds, Inputs> {
  /** The driver in use: `"ffi"`, `"builtin"`, or the given one's name. */
  readonly driver: string;

  /**
   * Writes a backup: the whole file as of one moment, with its change log and
   * whatever else is in it, while this store and others go on writing. It is
   * one file, which opens as a store; watches resume on it.
   *
   * It comes after the writes called before it. The copy is one call of SQLite:
   * the event loop waits for it, some 3 ms for each MB, and so does who writes
   * to a file with a rollback journal. Then it is opened with the same driver
   * and codecs and checked as by `check`, which takes longer, and which the
   * store's other operations do not wait for. Only a copy that is sound, and on
   * the disk, comes to be at the path, in one step. It has the permissions of
   * the store's file.
   *
   * Deno has to permit to read and write the directory of the path: there the
   * copy is written first, under another name.
   *
   * @param path Where to: a path, or a `file:` URL.
   * @param options Whether it may replace a file, and what cancels it.
   * @throws {StoreError} Of code `STORAGE`, where there is a file already, or
   * one that cannot be replaced: the store's own, one that a store of this
   * process has open, or that has a write-ahead log or a rollback journal
   * beside it; and where the file system refuses.
   * @throws {StoreCorruptError} Where the copy is not sound.
   * @throws {StoreFullError} Where the disk has no room for it.
   * @throws {StoreBusyError} Where another connection holds a lock that keeps
   * readers out, for longer than `busyTimeout`.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "alice", { name: "Alice" });
   *
   * const dir = await Deno.makeTempDir();
   * await store.backup(`${dir}/backup.db`);
   *
   * const copy = await openStore({ path: `${dir}/backup.db` });
   * assertEquals(await copy.get("users", "alice"), { name: "Alice" });
   * await copy.close();
   * await Deno.remove(dir, { recursive: true });
   * ```
   */
  backup(path: string | URL, options?: BackupOptions): Promise<void>;

  /**
   * What the store is, as of one moment: its file, its format, and how much is
   * in it. It counts every entry and every change, in one call.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "alice", { name: "Alice" });
   *
   * const { kinds, log } = await store.info();
   * assertEquals(kinds, [{ kind: "users", count: 1 }]);
   * assertEquals(log, { oldest: 1, newest: 1, count: 1 });
   * ```
   */
  info(options?: OperationOptions): Promise<StoreInfo>;
}

const STORE_OPTIONS = [
  ...COMMON_OPTIONS,
  "path",
  "driver",
  "busyTimeout",
  "wal",
  "durability",
  "secureDelete",
];

/**
 * Opens a store, creating its file where there is none, and bringing a file
 * that the Go store made, or plain SQL, to the current format in place.
 *
 * @typeParam Kinds A map from kind to value type; without it, any kind, and
 * values are `unknown`.
 * @param options Where the store is, and how it works.
 * @returns The store. `await using` closes it.
 * @throws {StoreOpenError} Where the file is no store's, of a newer format, of
 * another codec, missing or unreadable. It is left as it was.
 * @throws {StoreReadOnlyError} Where the file cannot be written.
 * @throws {StoreBusyError} Where another connection holds the lock for longer
 * than `busyTimeout`.
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
/** Opens a store whose kinds' types are given, or are `unknown`. */
export function openStore<Kinds extends object = AnyKinds>(
  options: StoreOptions<NoInfer<Kinds>>,
): Promise<SqliteStore<Kinds>>;
/** Opens a store whose kinds' types are those of their codecs. */
export function openStore<Kinds extends object>(
  options: StoreOptions<NoInfer<Kinds>> & { codec: CodecsByKind<Kinds> },
): Promise<SqliteStore<Kinds>>;
export async function openStore<Kinds extends object>(
  options: StoreOptions<Kinds>,
): Promise<SqliteStore<Kinds>> {
  const { signal, ...settings } = readOptions(options);
  signal?.throwIfAborted();
  const location = parseDsn(options.path);
  const driver = await loadDriver(settings.driver);
  signal?.throwIfAborted();
  try {
    return await openLocation<Kinds>(location, driver, settings, signal);
  } catch (error) {
    throw openError(options.path, error);
  }
}

async function openLocation<Kinds extends object>(
  location: Location,
  driver: Driver,
  settings: Settings,
  signal?: AbortSignal,
): Promise<OpenedStore<Kinds>> {
  let connection: Connection | undefined;
  let release = () => {};
  try {
    assertDatabaseFile(location);
    assertUnclaimed(location, driver);
    connection = openConnection(driver, location);
    release = claimFile(location, driver);
    const database = new Database(connection, release);
    const schema = new KnownSchema(database, connection, settings.codecs);
    const head = await prepareFile(
      { connection, schema, isReadOnly: location.mode === "ro" },
      settings,
      signal,
    );
    // Whatever the process's directory will be.
    const place = location.memory
      ? location
      : { ...location, path: resolve(location.path) };
    const storage = new SqliteStorage(database, {
      location,
      schema,
      codecs: settings.codecs,
      isInPlace: isInPlace(place),
      openReader: readerOf(place, driver),
    });
    const config = {
      ...settings,
      storage,
      head,
      openNotifier: notifierOf(location),
    };
    const described = { location: place, driver: driver.name };
    return new OpenedStore<Kinds>(config, {
      location: place,
      driver,
      copyTo: (path) => storage.copyTo(path),
      openCopy: (path) => openCopy(path, driver, settings),
      describe: () => describeStore({ ...described, database, storage }),
    });
  } catch (error) {
    try {
      connection?.close();
    } catch {
      // Why it cannot be opened is what counts.
    }
    release();
    throw error;
  }
}

/** How to open another connection to a file, whose path is absolute, to read: none to what is in memory. */
function readerOf(
  location: Location,
  driver: Driver,
): (() => Database) | undefined {
  if (location.memory) return undefined;
  return () => {
    const connection = openConnection(driver, { ...location, mode: "ro" });
    return new Database(connection, claimFile(location, driver));
  };
}

/** Opens a copy of a store to read it, with whatever that was opened with. */
async function openCopy(
  path: string,
  driver: Driver,
  settings: Settings,
): Promise<Store> {
  try {
    return await openLocation({ path, mode: "ro" }, driver, settings);
  } catch (error) {
    throw openError(path, error);
  }
}

/** What a store knows of its file, beside what is stored in it. */
interface OpenedFile extends BackupSource {
  describe(): StoreInfo;
}

class OpenedStore<Kinds extends object> extends KvStore<Kinds>
  implements SqliteStore<Kinds> {
  readonly driver: string;
  readonly #file: OpenedFile;

  constructor(config: StoreConfig, file: OpenedFile) {
    super(config);
    this.driver = file.driver.name;
    this.#file = file;
  }

  async backup(path: string | URL, options?: BackupOptions): Promise<void> {
    const request = readBackupRequest(path, options);
    await this.runOwn((queue) => backUp(this.#file, queue, request));
  }

  async info(options?: OperationOptions): Promise<StoreInfo> {
    const action = "read info";
    const { signal } = copyOptions(action, options, ["signal"]);
    return await this.runOwn(async (queue) =>
      await queue.read(action, () => this.#file.describe(), signal)
    );
  }
}

interface Settings extends CommonSettings, FileSettings {
  readonly driver: DriverChoice;
}

function readOptions<Kinds extends object>(
  options: StoreOptions<Kinds>,
): Settings & OperationOptions {
  const action = "open store";
  if (options === undefined) {
    throw new TypeError(`Cannot ${action}: expected options, with a "path"`);
  }
  assertOptions(action, options, STORE_OPTIONS);
  const { busyTimeout, wal, durability, secureDelete } = options;
  assertInteger(action, "busyTimeout", busyTimeout, 0);
  assertType(action, "wal", wal, "boolean");
  assertChoice(action, "durability", durability, ["full", "normal"]);
  assertType(action, "secureDelete", secureDelete, "boolean");
  return {
    ...readCommonOptions(action, options),
    driver: options.driver ?? "auto",
    busyTimeout: busyTimeout ?? 5_000,
    wal: wal ?? true,
    durability: durability ?? "full",
    secureDelete: secureDelete ?? false,
    signal: options.signal,
  };
}

/** The error of an opening that failed. */
function openError(path: string | URL, error: unknown): unknown {
  if (isBusy(error)) return storeError(`open store at ${path}`, error);
  if (error instanceof SqlError && error.failure !== "read_only") {
    return new StoreOpenError(
      `Cannot open store at ${path}: ${error.message}; ${
        ADVICE[error.failure] ?? "see the cause"
      }`,
      { cause: error },
    );
  }
  if (error instanceof CodecError) {
    return new StoreOpenError(
      `Cannot open store at ${path}: ${error.message}; give the codec that the file was written with`,
      { cause: error },
    );
  }
  return storeError(`open store at ${path}`, error);
}

const ADVICE: Partial<Record<SqlError["failure"], string>> = {
  cannot_open: "see that its directory exists and can be read and written",
  not_a_database: "it is another program's file, or encrypted",
  corrupt: "restore it from a backup",
  full: "free some space",
  io: "see that the disk works, and has space left",
};
