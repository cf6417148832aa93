/**
 * Opens the store that the options of a command line name.
 *
 * @module
 */
import type { SqliteStore } from "../../sqlite/sqlite_store.ts";
import { UsageError } from "../errors.ts";
import { addressOf, type StoreAddress } from "./address.ts";
import { openStoreInEtcd } from "./etcd_store.ts";
import { openStoreFile } from "./file_store.ts";
import { openStoreInPostgres } from "./postgres_store.ts";
import {
  type CliStore,
  DB_VARIABLE,
  type OpenOptions,
  SCHEMA_VARIABLE,
  type StoreSettings,
} from "./settings.ts";

/** Opens the store. Throws `UsageError` if the settings name none, or permissions are missing. */
export async function openStoreOf(
  settings: StoreSettings,
  options: OpenOptions,
): Promise<CliStore> {
  const address = await addressOf(settings);
  switch (address.in) {
    case "file":
      return await openStoreFile({ ...settings, ...address }, options);
    case "postgres":
      return await openStoreInPostgres({ ...settings, ...address }, options);
    case "etcd":
      return await openStoreInEtcd({ ...settings, ...address }, options);
  }
}

/** An action that only a store in a file supports, with advice for other stores. */
export interface FileOnly {
  /** Such as "back up". */
  readonly action: string;
  /** Such as "use pg_dump". */
  readonly advice: string;
  /** Called before the file is opened; throws if permissions are missing. */
  assertPermitted?(): Promise<void>;
}

/** Opens the store. Throws `UsageError` also if it is not in a file. */
export async function openFileOf(
  settings: StoreSettings,
  { action, advice, assertPermitted }: FileOnly,
  options: OpenOptions,
): Promise<SqliteStore> {
  const address = await addressOf(settings);
  if (address.in === "file") {
    await assertPermitted?.();
    return await openStoreFile({ ...settings, ...address }, options);
  }
  throw new UsageError(
    address.in === "etcd"
      ? `Cannot ${action}: this is for stores in files, and the store is in etcd; use etcdctl`
      : `Cannot ${action}: this is for stores in files, and the store is in PostgreSQL; ${advice}`,
  );
}

/**
 * The variables that name the store for another process. They may contain a
 * password, so they are for its environment, never for its arguments.
 */
export async function variablesOf(
  settings: StoreSettings,
  store: CliStore,
): Promise<Record<string, string>> {
  const address: StoreAddress = await addressOf(settings);
  if (address.in === "postgres") {
    return {
      [DB_VARIABLE]: address.url,
      [SCHEMA_VARIABLE]: address.schema ?? "",
    };
  }
  if (address.in === "etcd") return { [DB_VARIABLE]: address.url };
  const { path } = await (store as SqliteStore).info();
  return { [DB_VARIABLE]: path };
}
