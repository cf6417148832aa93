/**
 * The options of `openEtcdStore`, and what they come to.
 *
 * @module
 */
import { describe } from "../base/messages.ts";
import {
  boolean,
  integerFrom,
  isRecord,
  type OptionsSpec,
  type Reader,
  readOptions,
} from "../base/options.ts";
import type { AnyKinds } from "../contract/mod.ts";
import {
  COMMON,
  type CommonOptions,
  type CommonSettings,
  commonSettingsOf,
} from "../store/store_options.ts";
import { endpointsOf } from "./gateway/endpoint.ts";
import type { Credentials, TlsFiles } from "./gateway/gateway.ts";
import { DEFAULT_MOST_OPS } from "./storage/transaction.ts";

/** What TLS needs, as PEM. */
export interface EtcdTlsOptions {
  /**
   * The certificates of those who may sign a member's certificate, beside those
   * that the runtime trusts.
   */
  caCerts?: readonly string[];
  /**
   * The client's own certificate, for a cluster with `--client-cert-auth`. It
   * names no user: with etcd's authentication, give `username` and `password`.
   */
  cert?: string;
  /** The key of `cert`. */
  key?: string;
}

/**
 * Options of {@linkcode openEtcdStore}.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface EtcdStoreOptions<Kinds extends object = AnyKinds>
  extends CommonOptions<Kinds> {
  /**
   * The URLs of the members, such as `https://etcd-1.example.com:2379`: those at
   * which clients reach them. If one fails, the store uses the next one.
   * @default {"http://127.0.0.1:2379"}
   */
  endpoints?: string | URL | readonly (string | URL)[];
  /**
   * What the store's keys in etcd begin with. Stores of different prefixes share
   * nothing, even if one prefix begins with the other.
   * @default {"zestor"}
   */
  prefix?: string;
  /** The user, if the cluster has authentication enabled. It needs `password`. */
  username?: string;
  /** The user's password. The store renews its token by itself. */
  password?: string;
  /** What TLS needs, for `https` endpoints. @default {what the runtime trusts} */
  tls?: EtcdTlsOptions;
  /**
   * Whether nothing may be written. Then a store that is missing is not made.
   * @default {false}
   */
  readOnly?: boolean;
  /**
   * How many changes watches may resume from, and reads of the past may reach,
   * at most. etcd's own compaction may leave fewer.
   * @default {all that etcd has}
   */
  history?: number;
  /**
   * How long an operation tries, in ms: a write while others write (then it
   * rejects with `StoreBusyError`), and any while the cluster cannot be reached
   * (then with `StoreUnavailableError`, or `UnknownOutcomeError` if a write was
   * sent and not answered).
   * @default {5000}
   */
  busyTimeout?: number;
  /**
   * How long one member may take for one answer, in ms. Then the store asks the
   * next member.
   * @default {2000}
   */
  callTimeout?: number;
  /**
   * The cluster's `--max-request-bytes`. A value takes two thirds of it at most,
   * a transaction all of it but 64 KiB.
   * @default {1_572_864}
   */
  maxRequestBytes?: number;
  /** The cluster's `--max-txn-ops`. @default {128} */
  maxTxnOps?: number;
}

const ACTION = "open store";

const text: Reader<string> = (action, name, value) => {
  if (typeof value === "string" && value !== "") return value;
  throw new TypeError(
    `Cannot ${action}: "${name}" is a text that is not empty, received ${
      describe(name === "password" ? typeof value : value)
    }`,
  );
};

const prefix: Reader<string> = (action, name, value) => {
  const isPrefix = typeof value === "string" && value.isWellFormed() &&
    !value.includes("\0") && value.length <= 512;
  if (isPrefix) return value;
  throw new TypeError(
    `Cannot ${action}: "${name}" is a text of at most 512 characters without NUL, received ${
      describe(value)
    }`,
  );
};

const pems: Reader<readonly string[]> = (action, name, value) => {
  const list = Array.isArray(value) ? value : [value];
  for (const item of list) text(action, name, item);
  return list;
};

const TLS = { caCerts: pems, cert: text, key: text } satisfies OptionsSpec<
  EtcdTlsOptions
>;

const tls: Reader<TlsFiles> = (action, name, value) => {
  if (!isRecord(value, Object.keys(TLS))) {
    throw new TypeError(
      `Cannot ${action}: "${name}" is an object, received ${describe(value)}`,
    );
  }
  const { caCerts, cert, key } = readOptions(
    action,
    value as EtcdTlsOptions,
    TLS,
  );
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError(
      `Cannot ${action}: "${name}" has one of "cert" and "key"; give both`,
    );
  }
  return { ca: caCerts, cert, key };
};

const ETCD_STORE = {
  ...COMMON,
  endpoints: endpointsOf,
  prefix,
  username: text,
  password: text,
  tls,
  readOnly: boolean,
  busyTimeout: integerFrom(0),
  callTimeout: integerFrom(1),
  maxRequestBytes: integerFrom(128 * 1024),
  maxTxnOps: integerFrom(16),
} satisfies OptionsSpec<EtcdStoreOptions>;

/** What the options come to. */
export interface EtcdSettings extends CommonSettings {
  readonly endpoints: readonly string[];
  readonly prefix: string;
  readonly credentials: Credentials | undefined;
  readonly tls: TlsFiles | undefined;
  readonly readOnly: boolean;
  readonly busyTimeout: number;
  readonly callTimeout: number;
  readonly maxRequestBytes: number;
  readonly maxTxnOps: number;
  readonly signal: AbortSignal | undefined;
}

/** Reads the options of `openEtcdStore`; throws on what they cannot be. */
export function readEtcdOptions<Kinds extends object>(
  options: EtcdStoreOptions<Kinds> | undefined,
): EtcdSettings {
  const given = readOptions(ACTION, options, ETCD_STORE);
  return {
    ...commonSettingsOf(given),
    history: given.history ?? Infinity,
    endpoints: given.endpoints ?? ["http://127.0.0.1:2379"],
    prefix: given.prefix ?? "zestor",
    credentials: credentialsOf(given.username, given.password),
    tls: given.tls,
    readOnly: given.readOnly ?? false,
    busyTimeout: given.busyTimeout ?? 5_000,
    callTimeout: given.callTimeout ?? 2_000,
    maxRequestBytes: given.maxRequestBytes ?? 1_572_864,
    maxTxnOps: given.maxTxnOps ?? DEFAULT_MOST_OPS,
    signal: given.signal,
  };
}

function credentialsOf(
  username: string | undefined,
  password: string | undefined,
): Credentials | undefined {
  if (username === undefined && password === undefined) return undefined;
  if (username !== undefined && password !== undefined) {
    return { username, password };
  }
  throw new TypeError(
    `Cannot ${ACTION}: there is one of "username" and "password"; give both`,
  );
}
