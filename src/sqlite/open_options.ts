/**
 * The options of a store in a file, and how they are read.
 *
 * @module
 */
import { platform } from "../base/platform.ts";
import type { AnyKinds } from "../contract/kinds.ts";
import {
  boolean,
  integerFrom,
  oneOf,
  type OptionsSpec,
  type Reader,
  readOptions,
  unchecked,
} from "../base/options.ts";
import {
  COMMON,
  type CommonOptions,
  type CommonSettings,
  commonSettingsOf,
} from "../store/store_options.ts";
import { type DriverChoice, isDriverChoice } from "./driver/load.ts";
import type { Durability, FileSettings } from "./format/prepare_file.ts";

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
  /**
   * How long an operation waits for another connection's lock, in ms. Then it
   * rejects with `StoreBusyError`.
   * @default {5000}
   */
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

const ACTION = "open store";

const driver: Reader<DriverChoice> = (action, name, choice) => {
  if (isDriverChoice(choice)) return choice;
  throw new TypeError(
    `Cannot ${action}: "${name}" is "auto", "ffi", "builtin" or a driver, received ${
      platform.inspect(choice)
    }`,
  );
};

const STORE = {
  ...COMMON,
  path: unchecked<string | URL>(),
  driver,
  busyTimeout: integerFrom(0),
  wal: boolean,
  durability: oneOf("full", "normal"),
  secureDelete: boolean,
} satisfies OptionsSpec<StoreOptions>;

/** What the options come to. */
export interface Settings extends CommonSettings, FileSettings {
  readonly driver: DriverChoice;
}

/** Reads the options of `openStore`; throws on what they cannot be. */
export function readStoreOptions<Kinds extends object>(
  options: StoreOptions<Kinds>,
): Settings & Pick<StoreOptions, "path" | "signal"> {
  if (options === undefined) {
    throw new TypeError(`Cannot ${ACTION}: expected options, with a "path"`);
  }
  const given = readOptions(ACTION, options, STORE);
  return {
    ...commonSettingsOf(given),
    // If it is missing, `parseDsn` says so.
    path: given.path!,
    driver: given.driver ?? "auto",
    busyTimeout: given.busyTimeout ?? 5_000,
    wal: given.wal ?? true,
    durability: given.durability ?? "full",
    secureDelete: given.secureDelete ?? false,
    signal: given.signal,
  };
}
