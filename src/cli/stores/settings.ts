/**
 * The store of a command line, and the settings to open it.
 *
 * @module
 */
import type { OperationOptions } from "../../contract/operation.ts";
import type { Store } from "../../contract/store.ts";
import type { CodecName } from "./codecs.ts";

/** The environment variable that names the store. */
export const DB_VARIABLE = "ZESTOR_DB";

/** The environment variable that names the schema in a PostgreSQL database. */
export const SCHEMA_VARIABLE = "ZESTOR_SCHEMA";

/**
 * The access that a command needs: `"inspect"` also reads a file's write-ahead
 * log; `"create"` also writes to a new store.
 */
export type Access = "read" | "inspect" | "write" | "create";

/** The names of the drivers. */
export const DRIVERS = ["auto", "ffi", "builtin"] as const;

/** The store, as the command line names it. */
export interface StoreSettings {
  /** The path, a DSN, or the URL of a PostgreSQL database or an etcd cluster. Absent: that of the environment. */
  readonly db?: string;
  readonly codec: CodecName;
  /** For a file. @default {"builtin"} */
  readonly driver?: typeof DRIVERS[number];
  /** For a PostgreSQL database. Absent: that of the environment. */
  readonly schema?: string;
}

/** The settings for opening a store. */
export interface OpenOptions {
  readonly access: Access;
  /** How long to wait for locks of others, in ms. */
  readonly busyTimeout?: number;
  readonly signal?: AbortSignal;
}

/** The information that `info` returns for any store. */
export interface StoreDescription {
  /** The kinds that have entries, each with the number of its entries. */
  readonly kinds: readonly { readonly kind: string; readonly count: number }[];
  /** The change log; absent if there is none. */
  readonly log?: {
    /** The oldest revision in it. If it is empty, the revision of the next change. */
    readonly oldest: number;
    /** The newest revision, 0 before the first. */
    readonly newest: number;
    /** The number of changes in it. */
    readonly count: number;
  };
}

/** A store that a command works on. */
export interface CliStore extends Store {
  /** Information about the store. */
  info(options?: OperationOptions): Promise<StoreDescription>;
}
