/**
 * The options of a store in a file, and their readers.
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
   * `file:app.db?mode=ro`. The parameters of a DSN are `mode` (`ro`, `rw`,
   * `rwc` or `memory`) and `cache` (with `shared`, the stores of this process
   * share a database in memory). Any other parameter is an error.
   *
   * When the store opens, it resolves a relative path, and follows symbolic
   * links, once.
   */
  path: string | URL;
  /**
   * The SQLite binding. `"ffi"` is `@db/sqlite`: it needs `--allow-ffi`, which
   * gives a script access to the whole process. `"builtin"` is `node:sqlite`:
   * file permissions are enough. `"auto"` is the driver with which this process
   * has the file open already. Otherwise it is `"ffi"` if FFI is permitted and
   * the native library is on this machine, else `"builtin"`. It downloads
   * nothing.
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
   * Whether to use a write-ahead log, with which readers and the writer do not
   * wait for each other. `false` uses a rollback journal, which is slower, and
   * needs no shared memory of the file system.
   * @default {true}
   */
  wal?: boolean;
  /** The failures that a resolved write survives. @default {"full"} */
  durability?: Durability;
  /**
   * Whether to overwrite deleted and replaced data in the file with zeros, at
   * the cost of more writes
   * (https://sqlite.org/pragma.html#pragma_secure_delete). The data may still
   * be readable in other places: in the change log, which has the value before
   * each change until the log is pruned; in the `-wal` until it is overwritten;
   * in backups; in data that others delete; and on a disk that keeps old
   * blocks.
   * @default {false}
   */
  secureDelete?: boolean;
}

const ACTION = "open store";

const driver: Reader<DriverChoice> = (action, name, choice) => {
  if (isDriverChoice(choice)) return choice;
  throw new TypeError(
    `Cannot ${action}: "${name}" must be "auto", "ffi", "builtin" or a driver, received ${
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

/** The settings that follow from the options. */
export interface Settings extends CommonSettings, FileSettings {
  readonly driver: DriverChoice;
}

/** Reads the options of `openStore`. Throws if they are invalid. */
export function readStoreOptions<Kinds extends object>(
  options: StoreOptions<Kinds>,
): Settings & Pick<StoreOptions, "path" | "signal"> {
  if (options === undefined) {
    throw new TypeError(`Cannot ${ACTION}: expected options with a "path"`);
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
