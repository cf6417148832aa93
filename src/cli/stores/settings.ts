/**
 * Which store a command line is about, and what opens it.
 *
 * @module
 */
import type { OperationOptions } from "../../contract/operation.ts";
import type { Store } from "../../contract/store.ts";
import type { CodecName } from "./codecs.ts";

/** The variable of the environment that names the store. */
export const DB_VARIABLE = "ZESTOR_DB";

/** The variable of the environment that names the schema in a PostgreSQL database. */
export const SCHEMA_VARIABLE = "ZESTOR_SCHEMA";

/**
 * What a command does to a store: `"inspect"` looks at a file's write-ahead log,
 * too; `"create"` writes, to a new one too.
 */
export type Access = "read" | "inspect" | "write" | "create";

/** The names of the drivers to choose from. */
export const DRIVERS = ["auto", "ffi", "builtin"] as const;

/** Which store, as the command line has it. */
export interface StoreSettings {
  /** The path, a DSN, or the URL of a PostgreSQL database or an etcd cluster; absent to look in the environment. */
  readonly db?: string;
  readonly codec: CodecName;
  /** Of a file. By default `"builtin"`. */
  readonly driver?: typeof DRIVERS[number];
  /** Of a PostgreSQL database; absent to look in the environment. */
  readonly schema?: string;
}

/** How a store is opened. */
export interface OpenOptions {
  readonly access: Access;
  /** How long to wait for others' locks, in ms. */
  readonly busyTimeout?: number;
  readonly signal?: AbortSignal;
}

/** What `info` tells of any store. */
export interface StoreDescription {
  /** The kinds that have entries, and how many each has. */
  readonly kinds: readonly { readonly kind: string; readonly count: number }[];
  /** The change log; absent if there is none. */
  readonly log?: {
    /** The oldest revision in it; if it is empty, the one that will be. */
    readonly oldest: number;
    /** The newest revision, 0 before the first. */
    readonly newest: number;
    /** How many changes it holds. */
    readonly count: number;
  };
}

/** A store that a command works on. */
export interface CliStore extends Store {
  /** What it is. */
  info(options?: OperationOptions): Promise<StoreDescription>;
}
