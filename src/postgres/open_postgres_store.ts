/**
 * A store in a PostgreSQL database: the same operations, watches and guarantees
 * as in a file, for programs that run on several machines.
 *
 * @example
 * ```ts ignore
 * import { openPostgresStore } from "@zestor/store/postgres";
 *
 * // Or set PGHOST and its like in the environment.
 * await using store = await openPostgresStore<{ users: { name: string } }>({
 *   url: "postgres://app:secret@db.example.com/app",
 * });
 * await store.set("users", "alice", { name: "Alice" });
 * ```
 *
 * @module
 */
import type { AnyKinds } from "../contract/mod.ts";
import { reasonOf } from "../base/messages.ts";
import {
  StoreError,
  StoreOpenError,
  StoreReadOnlyError,
} from "../contract/errors.ts";
import type { CodecsByKind } from "../values/codecs/kind_codecs.ts";
import type {
  InputsOf,
  InputsWith,
  OnlyKinds,
  OutputsOf,
  SchemasByKind,
  SchemasFor,
} from "../values/schemas/schema.ts";
import { codeOf, isBusy, storeErrorOf } from "./connection/failure.ts";
import { Links } from "./connection/links.ts";
import { prepareSchema, type SchemaState } from "./format/prepare_schema.ts";
import { PostgresEngine } from "./postgres_engine.ts";
import {
  type PostgresSettings,
  type PostgresStoreOptions,
  readPostgresOptions,
} from "./postgres_options.ts";
import { PostgresKvStore, type PostgresStore } from "./postgres_store.ts";
import { tablesOf } from "./storage/selection.ts";

export type { PostgresStoreOptions } from "./postgres_options.ts";
export type { PostgresStore, PostgresStoreInfo } from "./postgres_store.ts";

/**
 * Opens a store in a PostgreSQL database, and creates its tables if they are
 * missing. The server must be PostgreSQL 14 or newer, and the database's
 * encoding UTF8.
 *
 * If the role may only read, or the server is a standby, the store is read-only.
 *
 * @typeParam Schemas The kinds' schemas, from which the kinds' types follow.
 * @param options Where the store is, and how it works.
 * @returns The store. `await using` closes it.
 * @throws {StoreOpenError} If the server cannot be reached, refuses the
 * connection, or if the schema holds something that is not a store of this
 * version, or if the role may not read the store. Nothing was changed.
 * @throws {StoreReadOnlyError} If the role may not create the tables.
 * @throws {StoreBusyError} If another connection holds a lock for longer than
 * `busyTimeout`.
 *
 * @example
 * ```ts
 * import { openPostgresStore } from "@zestor/store/postgres";
 * import { assertEquals } from "@std/assert";
 *
 * // Such as "postgres://app:secret@db.example.com/app".
 * const url = Deno.env.get("POSTGRES_URL");
 * if (url !== undefined) {
 *   await using store = await openPostgresStore<{ users: { name: string } }>({
 *     url,
 *     schema: "example",
 *   });
 *   await store.set("users", "alice", { name: "Alice" });
 *   assertEquals(await store.get("users", "alice"), { name: "Alice" });
 * }
 * ```
 */
export function openPostgresStore<const Schemas extends SchemasByKind>(
  options:
    & PostgresStoreOptions<NoInfer<OutputsOf<Schemas>>>
    & { schemas: Schemas },
): Promise<PostgresStore<OutputsOf<Schemas>, InputsOf<Schemas>>>;
/**
 * Opens a store with given types of kinds, and with schemas for the values to
 * write: `openPostgresStore<Kinds, typeof schemas>`. Use it if a schema
 * converts values, for example if it has defaults.
 */
export function openPostgresStore<
  Kinds extends object,
  Schemas extends SchemasFor<Kinds>,
>(
  options: PostgresStoreOptions<NoInfer<Kinds>> & {
    schemas: OnlyKinds<Kinds, Schemas>;
  },
): Promise<PostgresStore<Kinds, InputsWith<Kinds, Schemas>>>;
/** Opens a store whose kinds have the given types, or the type `unknown`. */
export function openPostgresStore<Kinds extends object = AnyKinds>(
  options?: PostgresStoreOptions<NoInfer<Kinds>>,
): Promise<PostgresStore<Kinds>>;
/** Opens a store whose kinds have the types of their codecs. */
export function openPostgresStore<Kinds extends object>(
  options:
    & PostgresStoreOptions<NoInfer<Kinds>>
    & { codec: CodecsByKind<Kinds> },
): Promise<PostgresStore<Kinds>>;
export async function openPostgresStore<Kinds extends object>(
  options?: PostgresStoreOptions<Kinds>,
): Promise<PostgresStore<Kinds>> {
  const settings = readPostgresOptions(options);
  const { address, busyTimeout, poolSize, signal } = settings;
  signal?.throwIfAborted();
  const links = new Links({ address, patience: busyTimeout, size: poolSize });
  const stop = () => links.close();
  signal?.addEventListener("abort", stop);
  try {
    const state = await prepare(links, settings);
    signal?.throwIfAborted();
    return storeOf<Kinds>(links, settings, state);
  } catch (error) {
    await links.close();
    signal?.throwIfAborted();
    throw openError(address.name, error);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

async function prepare(
  links: Links,
  settings: PostgresSettings,
): Promise<SchemaState> {
  const link = await links.open();
  const state = await prepareSchema(link, settings);
  links.share(link);
  return state;
}

function storeOf<Kinds extends object>(
  links: Links,
  settings: PostgresSettings,
  state: SchemaState,
): PostgresKvStore<Kinds> {
  const { address, schema, busyTimeout, history, values } = settings;
  const tables = tablesOf(schema);
  const engine = new PostgresEngine({
    tables,
    links,
    state,
    listenAddress: settings.listenAddress,
    history,
    busyTimeout,
    isDurable: settings.durability === "full",
  });
  const place = { engine: "postgres", location: address.name, schema };
  return new PostgresKvStore<Kinds>({ engine, values, place, busyTimeout }, {
    address,
    schema,
    tables,
    links,
    state,
    log: engine.log,
  });
}

/** The error to raise. Its message contains no password. */
function openError(name: string, error: unknown): unknown {
  if (isBusy(error)) return storeErrorOf("open store", error);
  const isTold = error instanceof StoreOpenError ||
    error instanceof StoreReadOnlyError;
  const message = reasonOf(error).replace(/^Cannot open store: /, "");
  const text = `Cannot open store at ${name}: ${message}`;
  if (isTold) {
    const { constructor } = error as { constructor: unknown };
    return new (constructor as typeof StoreOpenError)(text, {
      cause: error.cause,
    });
  }
  if (error instanceof TypeError || error instanceof StoreError) return error;
  const hint = codeOf(error) === undefined ? hintFor(message) : "";
  return new StoreOpenError(`${text}${hint}`, { cause: error });
}

function hintFor(message: string): string {
  if (/permission|NotCapable|Requires/i.test(message)) {
    return "; run deno with --allow-net and --allow-env";
  }
  return "";
}
