/**
 * Opens a store: reads the options, loads the driver, looks at the file before
 * anything in it is changed, and brings it to the current format.
 *
 * @module
 */
import type { CodecsByKind, KindCodecs } from "../codec/kind_codecs.ts";
import type { AnyKinds, OperationOptions, Store } from "../contract.ts";
import { StoreOpenError } from "../errors.ts";
import {
  assertChoice,
  assertInteger,
  assertOptions,
  assertType,
  copyOptions,
} from "../options.ts";
import { retryWhileBusy } from "../storage/lock_wait.ts";
import type { WriteQueue } from "../storage/write_queue.ts";
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
import { compact, type CompactResult } from "./compact.ts";
import { Database } from "./database.ts";
import {
  Checkpointer,
  type CheckpointPlan,
  planCheckpoints,
} from "./checkpoints.ts";
import { assertDatabaseFile } from "./database_file.ts";
import type { Connection, Driver, Location } from "./driver/driver.ts";
import {
  claimedDriver,
  claimFile,
  type FileClaim,
} from "./driver/file_claims.ts";
import { type DriverChoice, loadDriver } from "./driver/load.ts";
import { parseDsn } from "./dsn.ts";
import { isBusy, isNoTransaction } from "./failure.ts";
import { codecConflict, codecNames, remembersCodecs } from "./file_codecs.ts";
import { describeStore, type StoreInfo } from "./info.ts";
import { openError } from "./open_failure.ts";
import { OpenFiles } from "./open_files.ts";
import {
  DISABLE_CHECKPOINTS,
  FIRST_ENTRY,
  GET_JOURNAL_MODE,
  GET_SCHEMA_VERSION,
  HAS_ENTRIES,
  HEAD_REVISION,
} from "./queries.ts";
import { atRealPath } from "./real_path.ts";
import { type FileState, inspectFile, upgradeFile } from "./schema.ts";
import { SqliteStorage } from "./sqlite_storage.ts";
import { notifierOf } from "./wal_notifier.ts";

/**
 * How much a resolved write survives. `"full"`: the loss of power, at the price
 * of one fsync for each commit. `"normal"`: a crash of the process; a loss of
 * power may take the last commits, but never corrupts the file. With
 * `wal: false` both are the same: a rollback journal needs every fsync not to
 * corrupt the file.
 */
export type Durability = "full" | "normal";

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
   *
   * A relative path is resolved, and symbolic links are followed, once: when
   * the store opens.
   */
  path: string | URL;
  /**
   * The SQLite binding. `"ffi"` is `@db/sqlite`: it needs `--allow-ffi`, which
   * gives a script the whole process. `"builtin"` is `node:sqlite`: file
   * permissions are enough. `"auto"` is the driver that this process has the
   * file open with; else the first, if FFI is permitted and the native library
   * is on this machine; else the second. It downloads nothing.
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
   * beside it; and where the file system refuses. If the copy is in place, and
   * only its directory cannot be synced, the message says so.
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
   * Gives the file system back what the file no longer uses: a file never
   * shrinks by itself, and its write-ahead log seldom. The change log keeps its
   * `history`. In memory, it frees the pages.
   *
   * It comes after the writes called before it. It writes the database anew, in
   * place, by one call of SQLite: the event loop waits for it, about 20 ms for
   * each MB that is left. Who writes meanwhile waits: this store's writes for
   * its end, those of others up to their `busyTimeout`. Readers and watches go
   * on, but with a rollback journal they wait too. It needs free disk space for
   * up to twice what is left.
   *
   * Then it empties the write-ahead log, and cuts its file to 0 bytes, as soon
   * as nobody reads an older state. It waits for that up to `busyTimeout`,
   * while the store goes on. If it waits in vain, the file shrinks when the log
   * is emptied later.
   *
   * Deno lets the driver `"builtin"` do it only with `--allow-all`. The
   * process that compacts need not be the one that uses the store.
   *
   * @param options What cancels it, until it has begun.
   * @returns The bytes before and after, of the file and its write-ahead log.
   * @throws {StoreBusyError} If another connection holds the lock for longer
   * than `busyTimeout`. Nothing was done.
   * @throws {StoreFullError} If the disk has no room for it. Nothing is lost.
   * @throws {StoreReadOnlyError} If the store was opened read-only.
   * @throws {StoreError} Of code `STORAGE`, if a permission is missing.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assert } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * await store.set("users", "alice", "x".repeat(100_000));
   * await store.delete("users", "alice");
   *
   * const { before, after } = await store.compact();
   * assert(after <= before);
   * ```
   */
  compact(options?: OperationOptions): Promise<CompactResult>;

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
  const location = atRealPath(parseDsn(options.path));
  const driver = await loadDriver(settings.driver, claimedDriver(location));
  signal?.throwIfAborted();
  try {
    return await openLocation<Kinds>(location, driver, settings, signal);
  } catch (error) {
    throw openError(options.path, location, error);
  }
}

async function openLocation<Kinds extends object>(
  location: Location,
  driver: Driver,
  settings: Settings,
  signal?: AbortSignal,
): Promise<OpenedStore<Kinds>> {
  let connection: Connection | undefined;
  let claim: FileClaim | undefined;
  try {
    assertDatabaseFile(location);
    claim = claimFile(location, driver);
    connection = driver.open(location);
    // It was not there before.
    claim ??= claimFile(location, driver);
    const files = new OpenFiles(location);
    const { head, checkpoints } = await prepareFile(
      connection,
      location,
      settings,
      signal,
    );
    files.noteLogs();
    claim?.show();
    const hasLog = head !== undefined;
    const database = new Database(connection, claim);
    const openOther = (mode: Location["mode"]) =>
      openConnection({ ...location, mode }, driver);
    const storage = new SqliteStorage(database, {
      location,
      hasLog,
      codecs: settings.codecs,
      files,
      isInPlace: () => files.areInPlace(),
      // There is no other connection to what is in memory.
      openReader: location.memory ? undefined : () => openOther("ro"),
      checkpointer: checkpoints && !checkpoints.areAutomatic
        ? new Checkpointer(
          database,
          checkpoints.logLimit,
          () => openOther("rw"),
        )
        : undefined,
    });
    const config = {
      ...settings,
      storage,
      head: head ?? 0,
      openNotifier: notifierOf(location),
    };
    const described = { location, driver: driver.name, hasLog };
    return new OpenedStore<Kinds>(config, {
      location,
      driver,
      copyTo: (path) => storage.copyTo(path),
      openCopy: (path) => openCopy(path, driver, settings),
      describe: () => describeStore({ ...described, database, storage }),
      compact: (queue, options) =>
        compact({ location, database, storage }, queue, options),
    });
  } catch (error) {
    try {
      connection?.close();
    } catch {
      // Why it cannot be opened is what counts.
    }
    claim?.release();
    throw error;
  }
}

/** Opens another connection to a store's file. */
function openConnection(location: Location, driver: Driver): Database {
  const claim = claimFile(location, driver);
  let connection: Connection | undefined;
  try {
    connection = driver.open(location);
    // The store waits on timers, never inside SQLite. And what checkpoints
    // there are the store's own connection makes.
    connection.exec(`PRAGMA busy_timeout = 0; ${DISABLE_CHECKPOINTS}`);
    return new Database(connection, claim);
  } catch (error) {
    connection?.close();
    claim?.release();
    throw error;
  }
}

/** Opens a copy of a store to read it, with whatever that was opened with. */
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

/** What a store knows of its file, beside what is stored in it. */
interface OpenedFile extends BackupSource {
  describe(): StoreInfo;
  compact(
    queue: WriteQueue,
    options: OperationOptions | undefined,
  ): Promise<CompactResult>;
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

  async compact(options?: OperationOptions): Promise<CompactResult> {
    return await this.runOwn((queue) => this.#file.compact(queue, options));
  }

  async info(options?: OperationOptions): Promise<StoreInfo> {
    const action = "read info";
    const { signal } = copyOptions(action, options, ["signal"]);
    return await this.runOwn(async (queue) =>
      await queue.read(action, () => this.#file.describe(), signal)
    );
  }
}

interface Settings extends CommonSettings {
  readonly driver: DriverChoice;
  readonly busyTimeout: number;
  readonly wal: boolean;
  readonly durability: Durability;
}

function readOptions<Kinds extends object>(
  options: StoreOptions<Kinds>,
): Settings & OperationOptions {
  const action = "open store";
  if (options === undefined) {
    throw new TypeError(`Cannot ${action}: expected options, with a "path"`);
  }
  assertOptions(action, options, STORE_OPTIONS);
  const { busyTimeout, wal, durability } = options;
  assertInteger(action, "busyTimeout", busyTimeout, 0);
  assertType(action, "wal", wal, "boolean");
  assertChoice(action, "durability", durability, ["full", "normal"]);
  return {
    ...readCommonOptions(action, options),
    driver: options.driver ?? "auto",
    busyTimeout: busyTimeout ?? 5_000,
    wal: wal ?? true,
    durability: durability ?? "full",
    signal: options.signal,
  };
}

/** What there is to know of a file that was made ready. */
interface PreparedFile {
  /** The newest revision; absent if there is no change log. */
  readonly head?: number;
  /** Absent if the file has no write-ahead log, or is only read. */
  readonly checkpoints?: CheckpointPlan;
}

/** Makes the file ready. */
async function prepareFile(
  connection: Connection,
  location: Location,
  { codecs, busyTimeout, wal, durability }: Settings,
  signal: AbortSignal | undefined,
): Promise<PreparedFile> {
  const retry = <T>(work: () => T) =>
    retryWhileBusy(work, isBusy, busyTimeout, signal);
  // The store waits on timers, never inside SQLite.
  connection.exec("PRAGMA busy_timeout = 0");
  const inspect = () => {
    const state = inspectFile(connection);
    assertCodecs(connection, state, codecs);
    return state;
  };
  const readHead = () => {
    const { revision } = connection.prepare(HEAD_REVISION).get()!;
    if (Number.isSafeInteger(revision)) return revision as number;
    throw new StoreOpenError(
      `Cannot open store: the newest revision in the file is ${revision}, which is no safe integer; restore the file from a backup`,
    );
  };
  const state = await retry(inspect);
  if (location.mode === "ro") {
    if (state.hasEntries) {
      return state.hasLog ? { head: await retry(readHead) } : {};
    }
    throw new StoreOpenError(
      "Cannot open store: the file holds no store, and is opened read-only; open it once with mode=rwc",
    );
  }
  await retry(() => connection.exec(SYNC_EVERYTHING));
  const checkpoints = await retry(() => planCheckpoints(connection));
  if (isCurrent(state, codecs)) await retry(() => assertWritable(connection));
  else await retry(() => upgrade(connection, inspect, codecs));
  const head = await retry(readHead);
  // Last: it changes the file, which is left as it was where it is refused.
  await retry(() =>
    connection.exec(`PRAGMA journal_mode = ${wal ? "WAL" : "DELETE"}`)
  );
  const hasLog = await retry(() => hasWal(connection));
  if (durability === "normal" && hasLog) {
    await retry(() => connection.exec("PRAGMA synchronous = NORMAL"));
  }
  // SQLite opens the write-ahead log with the first read.
  await retry(() => connection.prepare(GET_SCHEMA_VERSION).get());
  return hasLog ? { head, checkpoints } : { head };
}

// With a rollback journal, a loss of power corrupts the file with less. NORMAL
// syncs the journal once, and torn pages in it may pass its checksums. FULL does
// not make its deletion durable, and VACUUM then cuts the file that the journal
// would restore. So NORMAL is for a write-ahead log, which a new file does not
// have yet. fullfsync is what a sync takes on macOS
// (https://sqlite.org/pragma.html#pragma_synchronous).
const SYNC_EVERYTHING = "PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON";

/** Whether there is a write-ahead log: SQLite makes none if the file system has no shared memory. */
function hasWal(connection: Connection): boolean {
  return connection.prepare(GET_JOURNAL_MODE).get()?.journal_mode === "wal";
}

/**
 * Throws unless the file can be written: where it cannot, SQLite opens it
 * read-only without a word, and the first write would be the one to tell.
 */
function assertWritable(connection: Connection): void {
  try {
    connection.exec("BEGIN IMMEDIATE");
  } catch (error) {
    // It can, in its turn.
    if (isBusy(error)) return;
    throw error;
  }
  try {
    connection.exec("CREATE TABLE zestor_probe (x)");
  } finally {
    rollBack(connection);
  }
}

function upgrade(
  connection: Connection,
  inspect: () => FileState,
  codecs: KindCodecs,
): void {
  connection.exec("BEGIN IMMEDIATE");
  try {
    // Again, under the lock: another process may just have done it.
    const state = inspect();
    upgradeFile(connection, state, codecNames(codecs));
    connection.exec("COMMIT");
  } catch (error) {
    rollBack(connection);
    throw error;
  }
}

function rollBack(connection: Connection): void {
  try {
    connection.exec("ROLLBACK");
  } catch (error) {
    // SQLite has rolled back by itself (https://sqlite.org/lang_transaction.html).
    if (!isNoTransaction(error)) throw error;
  }
}

function isCurrent(state: FileState, codecs: KindCodecs): boolean {
  return state.format > 0 && state.hasEntries && state.hasLog &&
    [...codecNames(codecs)].every(([name, codec]) =>
      state.meta.get(name) === codec
    );
}

function assertCodecs(
  connection: Connection,
  state: FileState,
  codecs: KindCodecs,
): void {
  if (!state.hasEntries) return;
  if (!remembersCodecs(state.meta)) return assertDecodable(connection, codecs);
  const kinds = codecs.namedKinds.filter((kind) => hasKind(connection, kind));
  const conflict = codecConflict(state.meta, codecs, kinds);
  if (conflict) throw new StoreOpenError(`Cannot open store: ${conflict}`);
}

function hasKind(connection: Connection, kind: string): boolean {
  return connection.prepare(HAS_ENTRIES).get(kind) !== undefined;
}

/** A file that remembers no codec, as another program's: its first value must make sense. */
function assertDecodable(connection: Connection, codecs: KindCodecs): void {
  const row = connection.prepare(FIRST_ENTRY).get();
  if (!row) return;
  codecs.decode(
    row.kind as string,
    row.key as string,
    row.value as Uint8Array,
  );
}
