/**
 * The options of a store on PostgreSQL, and their readers.
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
   * The database: `postgres://user:password@host:port/database`, with
   * parameters of `npm:pg` such as `sslmode`. Without it, the environment
   * variables `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD` and `PGDATABASE` are
   * used.
   */
  url?: string | URL;
  /**
   * The URL for notifications, if `url` leads to a pooler that delivers none,
   * such as pgbouncer. Without notifications, watches ask the server ten times
   * a second.
   * @default {url}
   */
  listenUrl?: string | URL;
  /**
   * The schema with the store's tables and functions. Stores in different
   * schemas share nothing. A missing schema is created, if the role may do so.
   * @default {"zestor"}
   */
  schema?: string;
  /**
   * Whether the store may only read. Then the schema is neither created nor
   * upgraded.
   * @default {false}
   */
  readOnly?: boolean;
  /**
   * How many connections reads share, at least 1. In addition, writes have one
   * connection, and waiting watches have one. Each export and each snapshot of
   * the present has its own.
   * @default {4}
   */
  poolSize?: number;
  /**
   * How long an operation waits, in ms. A write waits for a lock of another
   * connection, then rejects with `StoreBusyError`. Any operation waits for a
   * server that cannot be reached, then rejects with `StoreUnavailableError`,
   * or with `UnknownOutcomeError` if a write was sent but not answered.
   * @default {5000}
   */
  busyTimeout?: number;
  /**
   * The failures that a resolved write survives. `"full"`: those of the
   * server's `synchronous_commit`, and at least a crash of the server.
   * `"normal"`: a crash of the client; the server may lose about its last 0.6 s
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
    `Cannot ${action}: "${name}" must be a name of 1 to 63 bytes that does not begin with "pg_", received ${
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

/** The settings that follow from the options. */
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

/** Reads the options of `openPostgresStore`. Throws if they are invalid. */
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
