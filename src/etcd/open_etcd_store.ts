/**
 * A store in an etcd cluster. It has the same operations, watches and guarantees
 * as a store in a file. Use it for data that must survive the loss of a machine.
 *
 * @example
 * ```ts ignore
 * import { openEtcdStore } from "@zestor/store/etcd";
 *
 * await using store = await openEtcdStore<{ users: { name: string } }>({
 *   endpoints: ["https://etcd-1:2379", "https://etcd-2:2379"],
 *   prefix: "app",
 * });
 * await store.set("users", "alice", { name: "Alice" });
 * ```
 *
 * @module
 */
import { quoteText, reasonOf } from "../base/messages.ts";
import type { AnyKinds } from "../contract/mod.ts";
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
import { EtcdEngine, LIMITS } from "./etcd_engine.ts";
import {
  type EtcdSettings,
  type EtcdStoreOptions,
  readEtcdOptions,
} from "./etcd_options.ts";
import { EtcdKvStore, type EtcdStore } from "./etcd_store.ts";
import { Keys } from "./format/keys.ts";
import { prepareStore, type StoreState } from "./format/prepare_store.ts";
import { Gateway } from "./gateway/gateway.ts";
import { Timeline } from "./storage/timeline.ts";
import { roomOf } from "./storage/transaction.ts";

export type { EtcdStoreOptions, EtcdTlsOptions } from "./etcd_options.ts";
export type { EtcdStore, EtcdStoreInfo } from "./etcd_store.ts";

/**
 * Opens a store in an etcd cluster. It creates a missing store, unless `readOnly`
 * is set. The members must run etcd 3.4 or newer, and serve the JSON gateway, as
 * they do by default.
 *
 * @typeParam Schemas The kinds' schemas. The kinds' types follow from them.
 * @param options The store's cluster, prefix and settings.
 * @returns The store. `await using` closes it.
 * @throws {StoreOpenError} If no member can be reached, if the cluster refuses
 * the user, or if the keys of the prefix are not a store that this version can
 * read. Nothing was changed.
 *
 * @example
 * ```ts
 * import { openEtcdStore } from "@zestor/store/etcd";
 * import { assertEquals } from "@std/assert";
 *
 * // Such as "http://127.0.0.1:2379", or several, separated by commas.
 * const endpoints = Deno.env.get("ETCD_ENDPOINTS")?.split(",");
 * if (endpoints !== undefined) {
 *   await using store = await openEtcdStore<{ users: { name: string } }>({
 *     endpoints,
 *     prefix: "example",
 *   });
 *   await store.set("users", "alice", { name: "Alice" });
 *   assertEquals(await store.get("users", "alice"), { name: "Alice" });
 * }
 * ```
 */
export function openEtcdStore<const Schemas extends SchemasByKind>(
  options:
    & EtcdStoreOptions<NoInfer<OutputsOf<Schemas>>>
    & { schemas: Schemas },
): Promise<EtcdStore<OutputsOf<Schemas>, InputsOf<Schemas>>>;
/**
 * Opens a store whose kinds' types are given, and whose schemas determine the
 * values that may be written: `openEtcdStore<Kinds, typeof schemas>`. Use it if
 * a schema's input type differs from its output type, such as one with defaults.
 */
export function openEtcdStore<
  Kinds extends object,
  Schemas extends SchemasFor<Kinds>,
>(
  options: EtcdStoreOptions<NoInfer<Kinds>> & {
    schemas: OnlyKinds<Kinds, Schemas>;
  },
): Promise<EtcdStore<Kinds, InputsWith<Kinds, Schemas>>>;
/** Opens a store whose kinds' types are given, or are `unknown`. */
export function openEtcdStore<Kinds extends object = AnyKinds>(
  options?: EtcdStoreOptions<NoInfer<Kinds>>,
): Promise<EtcdStore<Kinds>>;
/** Opens a store whose kinds' types are those of their codecs. */
export function openEtcdStore<Kinds extends object>(
  options: EtcdStoreOptions<NoInfer<Kinds>> & { codec: CodecsByKind<Kinds> },
): Promise<EtcdStore<Kinds>>;
export async function openEtcdStore<Kinds extends object>(
  options?: EtcdStoreOptions<Kinds>,
): Promise<EtcdStore<Kinds>> {
  const settings = readEtcdOptions(options);
  const { signal, busyTimeout } = settings;
  signal?.throwIfAborted();
  const gateway = new Gateway({ ...settings, patience: busyTimeout });
  const keys = new Keys(settings.prefix);
  const stop = () => gateway.close();
  signal?.addEventListener("abort", stop);
  try {
    const state = await prepareStore(gateway, keys, settings);
    signal?.throwIfAborted();
    return storeOf<Kinds>(gateway, keys, settings, state);
  } catch (error) {
    gateway.close();
    signal?.throwIfAborted();
    throw openError(settings, error);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** The room in a request for everything except the writes, in bytes. */
const AROUND_BYTES = 64 * 1024;

function storeOf<Kinds extends object>(
  gateway: Gateway,
  keys: Keys,
  settings: EtcdSettings,
  state: StoreState,
): EtcdKvStore<Kinds> {
  const { endpoints, prefix, busyTimeout, history, values } = settings;
  const { maxRequestBytes, maxTxnOps } = settings;
  const engine = new EtcdEngine({
    gateway,
    keys,
    timeline: new Timeline(gateway, keys, state.born),
    readOnly: state.readOnly,
    history,
    busyTimeout,
    limits: limitsOf(settings),
    mostBytes: maxRequestBytes - AROUND_BYTES,
    mostOps: maxTxnOps,
  });
  const place = { engine: "etcd", location: `${endpoints[0]}/${prefix}` };
  return new EtcdKvStore<Kinds>({ engine, values, place, busyTimeout }, {
    endpoints,
    prefix,
    gateway,
    keys,
    state,
    engine,
  });
}

/** An entry whose expiry changes takes three operations: the entry, the old expiry, the new one. */
const MOST_OPS_OF_CHANGE = 3;

function limitsOf({ maxRequestBytes, maxTxnOps }: EtcdSettings) {
  const changes = Math.floor((roomOf(maxTxnOps) - 1) / MOST_OPS_OF_CHANGE);
  return {
    ...LIMITS,
    valueBytes: Math.floor(maxRequestBytes * 2 / 3),
    changes: Math.min(LIMITS.changes, changes),
  };
}

/** The error for the caller. Its message has no password. */
function openError(
  { endpoints, prefix }: EtcdSettings,
  error: unknown,
): unknown {
  const name = `${endpoints.join(", ")}, prefix ${quoteText(prefix)}`;
  const isTold = error instanceof StoreOpenError ||
    error instanceof StoreReadOnlyError;
  const cause = error instanceof StoreError && !isTold ? error.cause : error;
  const message = reasonOf(cause).replace(/^Cannot open store: /, "");
  if (error instanceof TypeError) return error;
  return new StoreOpenError(
    `Cannot open store at ${name}: ${message}${hintFor(message)}`,
    { cause: isTold ? error.cause : error },
  );
}

function hintFor(message: string): string {
  if (/NotCapable|Requires net access/i.test(message)) {
    return "; run deno with --allow-net";
  }
  if (/user name is empty/i.test(message)) {
    return `; give "username" and "password"`;
  }
  return "";
}
