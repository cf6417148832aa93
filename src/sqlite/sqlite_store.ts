/**
 * A store in an SQLite file: a store that also does what a file allows.
 *
 * @module
 */
import type { AnyKinds, OperationOptions, Store } from "../contract/mod.ts";
import { readOptions } from "../base/options.ts";
import type { LocalEngine } from "../local/local_engine.ts";
import { OPERATION } from "../store/options.ts";
import { KvStore, type StoreConfig } from "../store/kv_store.ts";
import {
  backUp,
  type BackupOptions,
  type BackupSource,
  readBackupRequest,
} from "./backup/backup.ts";
import type { CompactResult } from "./compact.ts";
import type { StoreInfo } from "./info.ts";
import { OwnTurns } from "./own_turns.ts";

/**
 * A store in an SQLite file, or in SQLite's memory.
 *
 * - `StoreBusyError`: another connection held a lock for longer than
 *   `busyTimeout`.
 * - `StoreFullError`: the disk, or the database's page limit, has no room left.
 * - `StoreTooLargeError`: a row would have more than 1 000 000 000 bytes, which
 *   is SQLite's limit.
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

/** What a store knows of its file, beside what is stored in it. */
export interface OpenedFile extends BackupSource {
  describe(): StoreInfo;
  compact(
    turns: OwnTurns,
    options: OperationOptions | undefined,
  ): Promise<CompactResult>;
}

/** The store of an open file. */
export class SqliteKvStore<Kinds extends object> extends KvStore<Kinds>
  implements SqliteStore<Kinds> {
  readonly driver: string;
  readonly #file: OpenedFile;
  readonly #turns: OwnTurns;

  /** Takes how the store works, and its file. */
  constructor(
    config: StoreConfig & { readonly engine: LocalEngine },
    file: OpenedFile,
  ) {
    super(config);
    this.driver = file.driver.name;
    this.#file = file;
    this.#turns = new OwnTurns(this.life, config.engine);
  }

  async backup(path: string | URL, options?: BackupOptions): Promise<void> {
    const request = readBackupRequest(path, options);
    this.life.assertOpen();
    await this.life.track(backUp(this.#file, this.#turns.alone, request));
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
