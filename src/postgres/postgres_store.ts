/**
 * A store on PostgreSQL, and its information about itself.
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
import type { Address } from "./connection/address.ts";
import type { Links } from "./connection/links.ts";
import type { SchemaState } from "./format/prepare_schema.ts";
import type { PostgresLog } from "./storage/postgres_log.ts";
import { headOf, prunedOf, type Tables } from "./storage/selection.ts";

/** Information about a store on PostgreSQL. */
export interface PostgresStoreInfo {
  /** The URL of the database, without a password. */
  url: string;
  /** The name of the schema that holds the store. */
  schema: string;
  /** The version of the server. */
  serverVersion: string;
  /** The number of the schema's format. */
  format: number;
  /** The names of the codecs that are noted in the schema. */
  codecs?: RememberedCodecs;
  /** Why the store is read-only. Absent if it is writable. */
  readOnly?: string;
  /**
   * Whether the server notifies waiting watches. If it does not, for example
   * behind a pooler, they ask the server ten times a second. It is `false` while
   * no watch waits.
   */
  isNotified: boolean;
  /** The bytes of the entries, with their indexes. */
  size: number;
  /** The bytes of the change log, with its indexes. */
  logSize: number;
  /** The kinds that have entries, in order, each with the number of its entries. */
  kinds: { kind: string; count: number }[];
  /**
   * The change log: its oldest revision, its newest, and its number of changes.
   * If the log is empty, `oldest` is the revision of the next change.
   */
  log: { oldest: number; newest: number; count: number };
}

/**
 * A store on PostgreSQL.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Inputs A map from kind to the type of the values to write.
 */
export interface PostgresStore<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> extends Store<Kinds, Inputs> {
  /** Always `"postgres"`. */
  readonly driver: "postgres";
  /**
   * Information about the store, as of one moment: its schema, its format, and
   * its sizes. It counts every entry and every change.
   *
   * @example
   * ```ts
   * import { openPostgresStore } from "@zestor/store/postgres";
   * import { assertEquals } from "@std/assert";
   *
   * // Such as "postgres://app:secret@db.example.com/app".
   * const url = Deno.env.get("POSTGRES_URL");
   * if (url !== undefined) {
   *   await using store = await openPostgresStore({ url, schema: "example" });
   *   const { schema } = await store.info();
   *   assertEquals(schema, "example");
   * }
   * ```
   */
  info(options?: OperationOptions): Promise<PostgresStoreInfo>;
}

/** The information that a store has about its server. */
export interface OpenedSchema {
  readonly address: Address;
  readonly schema: string;
  readonly tables: Tables;
  readonly links: Links;
  readonly state: SchemaState;
  readonly log: PostgresLog;
}

const INFO = { signal } satisfies OptionsSpec<OperationOptions>;

/** The store of an open schema. */
export class PostgresKvStore<Kinds extends object> extends KvStore<Kinds>
  implements PostgresStore<Kinds> {
  readonly driver = "postgres";
  readonly #opened: OpenedSchema;

  /** Takes the settings of the store, and its schema. */
  constructor(config: StoreConfig, opened: OpenedSchema) {
    super(config);
    this.#opened = opened;
  }

  async info(options?: OperationOptions): Promise<PostgresStoreInfo> {
    const action = "read info";
    const { signal } = readOptions(action, options, INFO);
    return await this.life.read(action, () => this.#describe(signal), signal);
  }

  async #describe(signal: AbortSignal | undefined): Promise<PostgresStoreInfo> {
    const { address, schema, tables, links, state, log } = this.#opened;
    const [row] = await links.read({
      text: `SELECT ${headOf(tables)} AS newest, ${prunedOf(tables)} AS pruned,
          (SELECT count(*) FROM ${tables.changes}) AS count,
          pg_total_relation_size($1::regclass) AS size,
          pg_total_relation_size($2::regclass) AS "logSize",
          (SELECT json_agg(json_build_array(kind, count) ORDER BY kind) FROM (
            SELECT kind, count(*) AS count FROM ${tables.kv}
            WHERE expires_at IS NULL OR expires_at > now() GROUP BY kind) AS k) AS kinds,
          (SELECT json_agg(json_build_array(name, value)) FROM ${tables.meta}) AS meta`,
      values: [tables.kv, tables.changes],
    }, { signal });
    const meta = new Map<string, string>(JSON.parse(row.meta));
    const codecs = rememberedCodecs(meta);
    const kinds: [string, number][] = JSON.parse(row.kinds ?? "[]");
    return {
      url: address.name,
      schema,
      serverVersion: state.server,
      format: Number(meta.get("format")),
      ...(codecs ? { codecs } : {}),
      ...(state.readOnly === undefined ? {} : { readOnly: state.readOnly }),
      isNotified: log.isHeard,
      size: row.size,
      logSize: row.logSize,
      kinds: kinds.map(([kind, count]) => ({ kind, count })),
      log: {
        oldest: row.pruned + 1,
        newest: row.newest,
        count: row.count,
      },
    };
  }
}
