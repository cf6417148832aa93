/**
 * The options of `openEtcdStore`, and the settings that follow from them.
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

/** The certificates and the key for TLS, as PEM. */
export interface EtcdTlsOptions {
  /**
   * The certificates of the authorities that sign the members' certificates, in
   * addition to the authorities that the runtime trusts.
   */
  caCerts?: readonly string[];
  /**
   * The client's own certificate, for a cluster with `--client-cert-auth`. It
   * does not name a user: with etcd's authentication, give `username` and
   * `password`.
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
   * The client URLs of the members, such as `https://etcd-1.example.com:2379`.
   * If one fails, the store uses the next one.
   * @default {"http://127.0.0.1:2379"}
   */
  endpoints?: string | URL | readonly (string | URL)[];
  /**
   * The prefix of the store's keys in etcd. Stores with different prefixes share
   * nothing, even if one prefix begins with the other.
   * @default {"zestor"}
   */
  prefix?: string;
  /** The user, if the cluster has authentication enabled. It needs `password`. */
  username?: string;
  /** The user's password. The store renews its token by itself. */
  password?: string;
  /**
   * The certificates and the key for `https` endpoints.
   * @default {the authorities that the runtime trusts}
   */
  tls?: EtcdTlsOptions;
  /**
   * Whether the store rejects every write. If so, opening a missing store rejects
   * with `StoreOpenError`.
   * @default {false}
   */
  readOnly?: boolean;
  /**
   * How many changes back watches can resume, and reads of the past can reach,
   * at most. etcd's own compaction may leave fewer.
   * @default {all changes that etcd has}
   */
  history?: number;
  /**
   * How long an operation is retried, in ms. A write is retried while
   * other programs write, and then rejects with `StoreBusyError`. Any operation
   * is retried while the cluster cannot be reached, and then rejects with
   * `StoreUnavailableError`. A write that was sent but not answered rejects with
   * `UnknownOutcomeError`.
   * @default {5000}
   */
  busyTimeout?: number;
  /**
   * How long one member may take for one answer, in ms. After that, the store
   * asks the next member.
   * @default {2000}
   */
  callTimeout?: number;
  /**
   * The cluster's `--max-request-bytes`. A value takes at most two thirds of it.
   * A transaction takes at most all of it less 64 KiB.
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
    `Cannot ${action}: "${name}" must be a text that is not empty, received ${
      describe(name === "password" ? typeof value : value)
    }`,
  );
};

const prefix: Reader<string> = (action, name, value) => {
  const isPrefix = typeof value === "string" && value.isWellFormed() &&
    !value.includes("\0") && value.length <= 512;
  if (isPrefix) return value;
  throw new TypeError(
    `Cannot ${action}: "${name}" must be a text of at most 512 characters without NUL, received ${
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
      `Cannot ${action}: "${name}" must be an object, received ${
        describe(value)
      }`,
    );
  }
  const { caCerts, cert, key } = readOptions(
    action,
    value as EtcdTlsOptions,
    TLS,
  );
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError(
      `Cannot ${action}: "${name}" has only one of "cert" and "key"; give both`,
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

/** The settings that follow from the options. */
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

/** Reads the options of `openEtcdStore`. Throws a `TypeError` or `RangeError` if one is invalid. */
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
    `Cannot ${ACTION}: the options have only one of "username" and "password"; give both`,
  );
}
