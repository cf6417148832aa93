/**
 * Opens a store: reads the options, loads the driver, looks at the file before
 * anything in it is changed, and brings it to the current format.
 *
 * @module
 */
import type { CodecsByKind } from "../values/codecs/kind_codecs.ts";
import type { AnyKinds, OperationOptions, Store } from "../contract/mod.ts";
import { readOptions } from "../base/options.ts";
import { OPERATION } from "../store/options.ts";
import { LocalEngine } from "../local/local_engine.ts";
import { KvStore, type StoreConfig } from "../store/kv_store.ts";
import type {
  InputsOf,
  OutputsOf,
  SchemasByKind,
} from "../values/schemas/schema.ts";
import {
  backUp,
  type BackupOptions,
  type BackupSource,
  readBackupRequest,
} from "./backup/backup.ts";
import { compact, type CompactResult } from "./compact.ts";
import { Database } from "./connection/database.ts";
import { Checkpointer, DISABLE_CHECKPOINTS } from "./connection/checkpoints.ts";
import { assertDatabaseFile } from "./file/database_file.ts";
import type { Connection, DatabaseLocation, Driver } from "./driver/driver.ts";
import {
  claimedDriver,
  claimFile,
  type FileClaim,
} from "./driver/file_claims.ts";
import { loadDriver } from "./driver/load.ts";
import { parseDsn } from "./file/dsn.ts";
import { describeStore, type StoreInfo } from "./info.ts";
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
import { OwnTurns } from "./own_turns.ts";
import { atRealPath } from "./file/real_path.ts";
import { SqliteStorage } from "./storage/sqlite_storage.ts";
import { notifierOf } from "./wal_notifier.ts";

/**
 * A store in an SQLite file, or in SQLite's memory.
 *
 * - `StoreBusyError`: another connection held a lock for longer than
 *   `busyTimeout`.
 * - `StoreFullError`: the disk, or the database's page limit, has no room left.
 * - `StoreTooLargeError`: a row would have more than 1 000 000 000 bytes, which
 *   is SQLite's limit. An update's value shares a row of the change log with the
 *   value before it.
 * - `StoreCorruptError`: SQLite found the file malformed, or a backup of it is
 *   not sound.
 * - `UnknownOutcomeError`: SQLite's commit failed at its last step, so the write
 *   may have taken effect.
 *
 * `export` reads a file through a connection of its own. Until its stream ends
 * or is cancelled, a write-ahead log is not cut back, and with a rollback
 * journal writers wait. A database in memory is copied.
 *
 * `verify` calls SQLite's own check of the whole database first. That is one
 * call: the event loop waits for it, about 10 ms for each MB. A write-ahead log
 * is not cut back until `verify` has ended. In a file with a rollback journal,
 * and in a database in memory, writes wait until then. The store's own writes
 * wait for as long as it takes, those of others up to their `busyTimeout`. If
 * that is too long, use `backup`: it checks the copy.
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
   * and codecs and verified as by `verify`, which takes longer, and which the
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
   * Then it empties the write-ahead log, and cuts its file to 0 bytes (to a
   * page, if the SQLite library is older than 3.51.3), as soon
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
    // It was not there before.
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
    const { busyTimeout, history, values } = settings;
    const engine = new LocalEngine({
      storage,
      busyTimeout,
      history,
      head,
      openNotifier: notifierOf(location),
    });
    const described = { location, driver: driver.name };
    return new SqliteKvStore<Kinds>({ engine, values, busyTimeout }, {
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
      // Why it cannot be opened is what counts.
    }
    claim?.release();
    throw error;
  }
}

/** Opens another connection to a store's file. What checkpoints there are the store's own one makes. */
function connectAgain(location: DatabaseLocation, driver: Driver): Database {
  const claim = claimFile(location, driver);
  let connection: Connection | undefined;
  try {
    connection = openConnection(driver, location);
    connection.exec(DISABLE_CHECKPOINTS);
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
    turns: OwnTurns,
    options: OperationOptions | undefined,
  ): Promise<CompactResult>;
}

interface SqliteStoreConfig extends StoreConfig {
  readonly engine: LocalEngine;
}

class SqliteKvStore<Kinds extends object> extends KvStore<Kinds>
  implements SqliteStore<Kinds> {
  readonly driver: string;
  readonly #file: OpenedFile;
  readonly #turns: OwnTurns;

  constructor(config: SqliteStoreConfig, file: OpenedFile) {
    super(config);
    this.driver = file.driver.name;
    this.#file = file;
    this.#turns = new OwnTurns(this.life, config.engine);
  }

  async backup(path: string | URL, options?: BackupOptions): Promise<void> {
    const request = readBackupRequest(path, options);
    this.life.assertOpen();
    await this.life.track(backUp(this.#file, this.#turns, request));
  }

  async compact(options?: OperationOptions): Promise<CompactResult> {
    this.life.assertOpen();
    return await this.life.track(this.#file.compact(this.#turns, options));
  }

  async info(options?: OperationOptions): Promise<StoreInfo> {
    const action = "read info";
    const { signal } = readOptions(action, options, OPERATION);
    return await this.#turns.read(action, () => this.#file.describe(), signal);
  }
}
