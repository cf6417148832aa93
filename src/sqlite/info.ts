/**
 * What a store is, for people and tools.
 *
 * @module
 */
import type { Database } from "./database.ts";
import { sizesOf } from "./database_file.ts";
import type { Location } from "./driver/driver.ts";
import { type RememberedCodecs, rememberedCodecs } from "./file_codecs.ts";
import {
  COUNT_CHANGES,
  GET_JOURNAL_MODE,
  GET_PAGE_COUNT,
  GET_PAGE_SIZE,
  GET_SQLITE_VERSION,
} from "./queries.ts";
import { type Query, readMeta } from "./schema.ts";
import { isTable, readObjects } from "./schema_objects.ts";
import type { SqliteStorage } from "./sqlite_storage.ts";

/** What a store is. */
export interface StoreInfo {
  /** The file's path, absolute; of a database in memory its name. */
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
  /** The bytes of the file, without its write-ahead log; of a database in memory those of its pages. */
  size: number;
  /** The bytes of the write-ahead log's file, 0 where there is none. It is not cut when it is emptied. */
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
  /** A file's path is absolute. */
  readonly location: Location;
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
): Pick<StoreInfo, "sqliteVersion" | "journalMode" | "size" | "walSize"> {
  const { version } = database.get(GET_SQLITE_VERSION)!;
  const { journal_mode } = database.get(GET_JOURNAL_MODE)!;
  const ofPages = { size: sizeOfPages(database), walSize: 0 };
  const sizes = location.memory ? undefined : sizesOf(location.path);
  return {
    sqliteVersion: String(version),
    journalMode: String(journal_mode),
    // The driver may read what Deno may not.
    ...(sizes ?? ofPages),
  };
}

function sizeOfPages(database: Database): number {
  const { page_count } = database.get(GET_PAGE_COUNT)!;
  const { page_size } = database.get(GET_PAGE_SIZE)!;
  return (page_count as number) * (page_size as number);
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
