/**
 * A store in an SQLite file: the contract, and operations for files.
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
 * - `UnknownOutcomeError`: SQLite's commit failed at its last step, so the
 *   write may have taken effect.
 *
 * `export` reads a file through a second connection. Until its stream ends or
 * is cancelled, the write-ahead log cannot be emptied, and with a rollback
 * journal writers wait. A database in memory is copied first.
 *
 * `verify` first runs SQLite's own check of the whole database. This is one
 * call: it blocks the event loop for about 10 ms for each MB. The write-ahead
 * log cannot be emptied until `verify` has ended. If a file has a rollback
 * journal, or the database is in memory, writes wait until then: the store's
 * own writes for as long as it takes, those of others up to their
 * `busyTimeout`. If that is too long, use `backup`, which checks the copy.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Inputs A map from kind to the type of the values to write.
 */
export interface SqliteStore<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> extends Store<Kinds, Inputs> {
  /** The driver in use: `"ffi"`, `"builtin"`, or the name of a given driver. */
  readonly driver: string;

  /**
   * Writes a backup: the whole file at one moment, with its change log and all
   * other tables, while this store and others continue to write. The backup is
   * one file, which can be opened as a store. Watches can resume on it.
   *
   * It contains the writes called before it. The copy is one call of SQLite: it
   * blocks the event loop for about 3 ms for each MB, and writers to a file
   * with a rollback journal wait for it, too. Then the store opens the copy
   * with the same driver and codecs, and verifies it as `verify` does. This
   * takes longer, but the store's other operations do not wait. Only a copy
   * that is sound and synced is moved to the path, in one step. It has the
   * permissions of the store's file.
   *
   * Deno must permit to read and write the directory of the path, because the
   * copy is first written there under a temporary name.
   *
   * @param path The target: a path, or a `file:` URL.
   * @param options Whether to replace a file, and a signal.
   * @throws {StoreError} With code `STORAGE`, if the file exists already, or
   * cannot be replaced. It cannot if it is the store's own file, if a store of
   * this process has it open, or if it has a write-ahead log or a rollback
   * journal beside it. Also if the file system refuses. If the copy is in
   * place, but its directory cannot be synced, the message says so.
   * @throws {StoreCorruptError} If the copy is not sound.
   * @throws {StoreFullError} If the disk has no room for it.
   * @throws {StoreBusyError} If another connection holds a lock against readers
   * for longer than `busyTimeout`.
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
   * Gives unused space back to the file system. A file never shrinks by itself,
   * and its write-ahead log rarely does. The change log keeps its `history`. In
   * memory, it frees the unused pages.
   *
   * It runs after the writes called before it. One call of SQLite rewrites the
   * database in place: it blocks the event loop for about 20 ms for each MB
   * that remains. Meanwhile writers wait: this store's writes until it ends,
   * those of others up to their `busyTimeout`. Readers and watches go on, but
   * with a rollback journal they wait, too. It needs free disk space of up to
   * twice the resulting size.
   *
   * Then it empties the write-ahead log as soon as nobody reads an older state,
   * and truncates its file to 0 bytes (to one page, if the SQLite library is
   * older than 3.51.3). It waits for that up to `busyTimeout`, while the store
   * goes on. If it waits in vain, the file shrinks when the log is emptied
   * later.
   *
   * With the driver `"builtin"`, Deno permits this only with `--allow-all`.
   * Another process than the one that uses the store can do it.
   *
   * @param options A signal that cancels it until it begins.
   * @returns The bytes of the file and its write-ahead log, before and after.
   * @throws {StoreBusyError} If another connection holds the lock for longer
   * than `busyTimeout`. Nothing was done.
   * @throws {StoreFullError} If the disk has no room for it. Nothing is lost.
   * @throws {StoreReadOnlyError} If the store was opened read-only.
   * @throws {StoreError} With code `STORAGE`, if a permission is missing.
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
   * Information about the store, at one moment: its file, its format, and its
   * sizes. It counts every entry and every change, in one call.
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

/** The information that a store has about its file. */
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

  /** Takes the settings of the store, and its file. */
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
