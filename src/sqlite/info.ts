/**
 * Information about a store, for people and tools.
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

/** Information about a store. */
export interface StoreInfo {
  /** The file's absolute path, with symbolic links followed. For a database in memory, its name. */
  path: string;
  /** The driver in use, as `store.driver`. */
  driver: string;
  /** The version of the SQLite library that the driver uses. */
  sqliteVersion: string;
  /** The number of the file's format; 0 if it has none, which is possible in a read-only store. */
  format: number;
  /** The names of the codecs that the file remembers. Absent if it remembers none. */
  codecs?: RememberedCodecs;
  /** SQLite's journal mode: `"wal"`, `"delete"`, `"memory"`. */
  journalMode: string;
  /**
   * When the write-ahead log is copied into the file. `"automatic"`: the store
   * does it when its writes pause, and SQLite does it with a commit if they
   * never pause, or if other programs write. `"exclusive"`: the SQLite library
   * is older than 3.51.3, and can lose commits if one connection copies while
   * another one writes (https://sqlite.org/wal.html#the_wal_reset_bug), so the
   * store copies while nobody can write. `"none"`: there is no write-ahead log.
   */
  checkpoints: "automatic" | "exclusive" | "none";
  /**
   * The bytes of the file without its write-ahead log. For a database in
   * memory, the bytes of its pages.
   */
  size: number;
  /**
   * The bytes of the write-ahead log's file, 0 if there is none. The file is
   * truncated to about 4 MB when the log restarts, and by `compact`.
   */
  walSize: number;
  /** The kinds that have entries, in order, each with the number of its entries. */
  kinds: { kind: string; count: number }[];
  /** The change log. Absent if the file has none, which is possible in a read-only store. */
  log?: LogInfo;
}

/** Information about a change log. */
export interface LogInfo {
  /** The oldest revision in it. If it is empty, the revision of the next change. */
  oldest: number;
  /** The newest revision, 0 before the first. */
  newest: number;
  /** The number of changes in it. */
  count: number;
}

/** The parts of a store that the information comes from. */
export interface DescribedStore {
  /** The path of a file is its real path. */
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
  // The driver may read files that Deno may not.
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
