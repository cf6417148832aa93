/**
 * What a store is, for people and tools.
 *
 * @module
 */
import { hasSafeCheckpoints } from "./connection/checkpoints.ts";
import type { Database } from "./connection/database.ts";
import {
  GET_JOURNAL_MODE,
  GET_PAGE_COUNT,
  GET_PAGE_SIZE,
  GET_SQLITE_VERSION,
} from "./connection/queries.ts";
import { sizesOf } from "./file/database_file.ts";
import type { DatabaseLocation } from "./driver/driver.ts";
import {
  type RememberedCodecs,
  rememberedCodecs,
} from "../values/codecs/remembered_codecs.ts";
import { COUNT_CHANGES } from "./storage/change_queries.ts";
import { readMeta } from "./format/inspect_file.ts";
import { isTable, type Query, readObjects } from "./format/schema_objects.ts";
import type { SqliteStorage } from "./storage/sqlite_storage.ts";

/** What a store is. */
export interface StoreInfo {
  /** The file's absolute path, with symbolic links followed. For a database in memory, its name. */
  path: string;
  /** The driver in use, as `store.driver`. */
  driver: string;
  /** The version of the SQLite library that the driver uses. */
  sqliteVersion: string;
  /** The number of the file's format; 0 where it has none, as one that is only read may. */
  format: number;
  /** The names of the codecs that the file remembers; absent where it remembers none. */
  codecs?: RememberedCodecs;
  /** SQLite's journal mode: `"wal"`, `"delete"`, `"memory"`. */
  journalMode: string;
  /**
   * How the write-ahead log is copied into the file. `"automatic"`: the store
   * does it when its writes pause, and SQLite does it with a commit if they never
   * do, or other programs write. `"exclusive"`: the SQLite library is older
   * than 3.51.3 and can lose commits when one connection does it while another
   * one writes (https://sqlite.org/wal.html#the_wal_reset_bug), so the store
   * does it while no one can write. `"none"`: there is no write-ahead log.
   */
  checkpoints: "automatic" | "exclusive" | "none";
  /** The bytes of the file, without its write-ahead log; of a database in memory those of its pages. */
  size: number;
  /** The bytes of the write-ahead log's file, 0 if there is none. It is cut to some 4 MB when the log begins anew, and by `compact`. */
  walSize: number;
  /** The kinds that have entries, in order, and how many each has. */
  kinds: { kind: string; count: number }[];
  /** The change log; absent where the file has none, as one that is only read may. */
  log?: LogInfo;
}

/** What a change log holds. */
export interface LogInfo {
  /** The oldest revision in it; where it is empty, the one that will be. */
  oldest: number;
  /** The newest revision, 0 before the first. */
  newest: number;
  /** How many changes it holds. */
  count: number;
}

/** What a store is made of, as far as it tells. */
export interface DescribedStore {
  /** A file's path is its real one. */
  readonly location: DatabaseLocation;
  readonly driver: string;
  readonly database: Database;
  readonly storage: SqliteStorage;
}

/** Describes a store, as of this moment. */
export function describeStore(store: DescribedStore): StoreInfo {
  return store.storage.snapshot(() => ({
    path: store.location.path,
    driver: store.driver,
    ...describeDatabase(store),
    ...describeFormat(store.database),
    kinds: store.storage.countKinds(),
    ...(store.storage.hasLog ? { log: describeLog(store) } : {}),
  }));
}

function describeDatabase(
  { location, database }: DescribedStore,
): Pick<
  StoreInfo,
  "sqliteVersion" | "journalMode" | "checkpoints" | "size" | "walSize"
> {
  const { version } = database.get(GET_SQLITE_VERSION)!;
  const { journal_mode } = database.get(GET_JOURNAL_MODE)!;
  const areSafe = hasSafeCheckpoints(String(version));
  return {
    sqliteVersion: String(version),
    journalMode: String(journal_mode),
    checkpoints: journal_mode !== "wal"
      ? "none"
      : areSafe
      ? "automatic"
      : "exclusive",
    ...databaseSizes(location, database),
  };
}

/** The bytes of a database, and of its write-ahead log. */
export function databaseSizes(
  location: DatabaseLocation,
  database: Database,
): Pick<StoreInfo, "size" | "walSize"> {
  const sizes = location.memory ? undefined : sizesOf(location.path);
  if (sizes) return sizes;
  // The driver may read what Deno may not.
  const { page_count } = database.get(GET_PAGE_COUNT)!;
  const { page_size } = database.get(GET_PAGE_SIZE)!;
  return { size: (page_count as number) * (page_size as number), walSize: 0 };
}

function describeFormat(
  database: Database,
): Pick<StoreInfo, "format" | "codecs"> {
  const query: Query = (sql) => database.all(sql);
  const found = readObjects(query).tables.get("zestor_meta");
  if (!found || !isTable(found)) return { format: 0 };
  const meta = readMeta(query);
  const codecs = rememberedCodecs(meta);
  return {
    format: Number(meta.get("format") ?? 0),
    ...(codecs ? { codecs } : {}),
  };
}

function describeLog({ storage, database }: DescribedStore): LogInfo {
  const [oldest, newest] = [storage.oldestRevision(), storage.headRevision()];
  const { count } = database.get(COUNT_CHANGES, oldest, newest)!;
  return { oldest, newest, count: count as number };
}
