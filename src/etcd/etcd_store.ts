/**
 * A store on etcd, and its description of itself.
 *
 * @module
 */
import { type OptionsSpec, readOptions, signal } from "../base/options.ts";
import type { AnyKinds, OperationOptions, Store } from "../contract/mod.ts";
import { KvStore, type StoreConfig } from "../store/kv_store.ts";
import {
  type RememberedCodecs,
  rememberedCodecs,
} from "../values/codecs/remembered_codecs.ts";
import type { EtcdEngine } from "./etcd_engine.ts";
import type { StoreState } from "./format/prepare_store.ts";
import type { Keys } from "./format/keys.ts";
import { EtcdError } from "./gateway/failure.ts";
import type { Gateway } from "./gateway/gateway.ts";
import { firstOf, textOf } from "./gateway/messages.ts";

/** The description of a store on etcd. */
export interface EtcdStoreInfo {
  /** The URLs of the members, separated by commas. */
  url: string;
  /** The prefix of the store's keys. */
  prefix: string;
  /** The version of the member that answered; absent if the user lacks the right to read it. */
  etcdVersion?: string;
  /** The number of the store's format. */
  format: number;
  /** The names of the codecs that the store remembers. */
  codecs?: RememberedCodecs;
  /** The reason why the store is read-only; absent if it is writable. */
  readOnly?: string;
  /** The size of the member's whole database, in bytes; absent if the user lacks the right to read it. */
  databaseSize?: number;
  /** The kinds that have entries, in order, each with its number of entries. */
  kinds: { kind: string; count: number }[];
  /**
   * The change log: its oldest revision, its newest revision, and its number of
   * changes. If it is empty, `oldest` is the revision of the next change.
   */
  log: { oldest: number; newest: number; count: number };
}

/**
 * A store on etcd.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Inputs A map from kind to the type of the values that may be written.
 */
export interface EtcdStore<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> extends Store<Kinds, Inputs> {
  /** Always `"etcd"`. */
  readonly driver: "etcd";
  /**
   * Describes the store and its contents. It counts every entry.
   *
   * @example
   * ```ts
   * import { openEtcdStore } from "@zestor/store/etcd";
   * import { assertEquals } from "@std/assert";
   *
   * const endpoints = Deno.env.get("ETCD_ENDPOINTS")?.split(",");
   * if (endpoints !== undefined) {
   *   await using store = await openEtcdStore({ endpoints, prefix: "empty" });
   *   const { kinds, readOnly } = await store.info();
   *   assertEquals([kinds, readOnly], [[], undefined]);
   * }
   * ```
   */
  info(options?: OperationOptions): Promise<EtcdStoreInfo>;
}

/** An open store's cluster and settings. */
export interface OpenedCluster {
  readonly endpoints: readonly string[];
  readonly prefix: string;
  readonly gateway: Gateway;
  readonly keys: Keys;
  readonly state: StoreState;
  readonly engine: EtcdEngine;
}

const INFO = { signal } satisfies OptionsSpec<OperationOptions>;

/** The store of an open cluster. */
export class EtcdKvStore<Kinds extends object> extends KvStore<Kinds>
  implements EtcdStore<Kinds> {
  readonly driver = "etcd";
  readonly #opened: OpenedCluster;

  /** Takes the store's settings and its cluster. */
  constructor(config: StoreConfig, opened: OpenedCluster) {
    super(config);
    this.#opened = opened;
  }

  async info(options?: OperationOptions): Promise<EtcdStoreInfo> {
    const action = "read info";
    const { signal } = readOptions(action, options, INFO);
    return await this.life.read(action, () => this.#describe(signal), signal);
  }

  async #describe(signal: AbortSignal | undefined): Promise<EtcdStoreInfo> {
    const { endpoints, prefix, gateway, keys, state, engine } = this.#opened;
    const answer = await gateway.range({ key: keys.meta }, { signal });
    const { format, names } = JSON.parse(textOf(firstOf(answer)?.value));
    const codecs = rememberedCodecs(new Map(names));
    const kinds = await engine.together(async (view) => {
      const counts: { kind: string; count: number }[] = [];
      for (const kind of await view.kinds(signal)) {
        const count = await view.count(kind, ALL, undefined, signal);
        counts.push({ kind, count });
      }
      return counts;
    }, signal);
    const [oldest, newest] = [
      await engine.log.oldest(),
      await engine.log.head(),
    ];
    return {
      url: endpoints.join(","),
      prefix,
      ...await memberOf(gateway, signal),
      format,
      ...(codecs ? { codecs } : {}),
      ...(state.readOnly === undefined ? {} : { readOnly: state.readOnly }),
      kinds,
      log: { oldest, newest, count: newest - oldest + 1 },
    };
  }
}

const ALL = { lower: { key: "", inclusive: true } };

/** A member's version and database size; empty if the user lacks the right to read them. */
async function memberOf(
  gateway: Gateway,
  signal: AbortSignal | undefined,
): Promise<Pick<EtcdStoreInfo, "etcdVersion" | "databaseSize">> {
  try {
    const { version, dbSize } = await gateway.read<
      { version?: string; dbSize?: string }
    >("maintenance/status", {}, { signal });
    return { etcdVersion: version, databaseSize: Number(dbSize ?? 0) };
  } catch (error) {
    if (error instanceof EtcdError) return {};
    throw error;
  }
}
