/**
 * The options of a store on PostgreSQL, and how they are read.
 *
 * @module
 */
import type { AnyKinds } from "../contract/kinds.ts";
import {
  boolean,
  integerFrom,
  oneOf,
  type OptionsSpec,
  type Reader,
  readOptions,
} from "../base/options.ts";
import { describe } from "../base/messages.ts";
import {
  COMMON,
  type CommonOptions,
  type CommonSettings,
  commonSettingsOf,
} from "../store/store_options.ts";
import {
  type Address,
  addressOf,
  addressOfEnvironment,
} from "./connection/address.ts";

/**
 * Options of {@linkcode openPostgresStore}.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface PostgresStoreOptions<Kinds extends object = AnyKinds>
  extends CommonOptions<Kinds> {
  /**
   * Where the database is: `postgres://user:password@host:port/database`, with
   * the parameters of `npm:pg` such as `sslmode`. Without it, the variables
   * `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE` of the environment
   * tell.
   */
  url?: string | URL;
  /**
   * Where to listen for notifications, if `url` leads to a pooler, such as
   * pgbouncer, that delivers none. Without notifications, watches ask the
   * server ten times a second.
   * @default {url}
   */
  listenUrl?: string | URL;
  /**
   * The schema that holds the store's tables and functions. Stores of different
   * schemas share nothing. If it is missing, and the role may, it is made.
   * @default {"zestor"}
   */
  schema?: string;
  /**
   * Whether nothing may be written. Then the schema is not made, nor brought to
   * the current format.
   * @default {false}
   */
  readOnly?: boolean;
  /**
   * How many connections reads share, at least 1. Beside them, writes have one;
   * watches that wait have one, and each export and each snapshot of this
   * moment has one of its own.
   * @default {4}
   */
  poolSize?: number;
  /**
   * How long an operation waits, in ms: a write for the lock that another
   * connection holds (then it rejects with `StoreBusyError`), and any for
   * a server that cannot be reached (then with `StoreUnavailableError`, or
   * `UnknownOutcomeError` if a write was sent and not answered).
   * @default {5000}
   */
  busyTimeout?: number;
  /**
   * What a resolved write survives. `"full"`: what the server's
   * `synchronous_commit` says, and at least a crash of the server. `"normal"`:
   * a crash of the client; the server may lose its last 0.6 s or so
   * (https://www.postgresql.org/docs/current/wal-async-commit.html).
   * @default {"full"}
   */
  durability?: "full" | "normal";
}

const ACTION = "open store";

const address: Reader<Address> = addressOf;

const schema: Reader<string> = (action, name, value) => {
  const isName = typeof value === "string" && value !== "" &&
    !value.includes("\0") && value.isWellFormed() &&
    new TextEncoder().encode(value).length <= 63 && !value.startsWith("pg_");
  if (isName) return value;
  throw new TypeError(
    `Cannot ${action}: "${name}" is a name of 1 to 63 bytes that does not begin with "pg_", received ${
      describe(value)
    }`,
  );
};

const POSTGRES_STORE = {
  ...COMMON,
  url: address,
  listenUrl: address,
  schema,
  readOnly: boolean,
  poolSize: integerFrom(1),
  busyTimeout: integerFrom(0),
  durability: oneOf("full", "normal"),
} satisfies OptionsSpec<PostgresStoreOptions>;

/** What the options come to. */
export interface PostgresSettings extends CommonSettings {
  readonly address: Address;
  readonly listenAddress: Address | undefined;
  readonly schema: string;
  readonly readOnly: boolean;
  readonly poolSize: number;
  readonly busyTimeout: number;
  readonly durability: "full" | "normal";
  readonly signal: AbortSignal | undefined;
}

/** Reads the options of `openPostgresStore`; throws on what they cannot be. */
export function readPostgresOptions<Kinds extends object>(
  options: PostgresStoreOptions<Kinds> | undefined,
): PostgresSettings {
  const given = readOptions(ACTION, options, POSTGRES_STORE);
  return {
    ...commonSettingsOf(given),
    address: given.url ?? addressOfEnvironment(),
    listenAddress: given.listenUrl,
    schema: given.schema ?? "zestor",
    readOnly: given.readOnly ?? false,
    poolSize: given.poolSize ?? 4,
    busyTimeout: given.busyTimeout ?? 5_000,
    durability: given.durability ?? "full",
    signal: given.signal,
  };
}
