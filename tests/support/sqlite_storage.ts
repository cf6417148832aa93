/**
 * SQLite's storage without a store, for tests of what is below one.
 *
 * @module
 */
import { Database } from "../../src/sqlite/connection/database.ts";
import { openConnection } from "../../src/sqlite/connection/open_connection.ts";
import type { DatabaseLocation } from "../../src/sqlite/driver/driver.ts";
import { loadDriver } from "../../src/sqlite/driver/load.ts";
import { OpenFiles } from "../../src/sqlite/file/open_files.ts";
import { KnownSchema } from "../../src/sqlite/format/known_schema.ts";
import { prepareFile } from "../../src/sqlite/format/prepare_file.ts";
import { readStoreOptions } from "../../src/sqlite/open_options.ts";
import { SqliteStorage } from "../../src/sqlite/storage/sqlite_storage.ts";
import type { TestDriver } from "./drivers.ts";

const IN_MEMORY: DatabaseLocation = {
  path: ":memory:",
  mode: "rwc",
  memory: "private",
};

/** Opens the storage of a new database in memory. Its clock is SQLite's own. */
export async function openSqliteStorage(
  { name }: TestDriver,
): Promise<SqliteStorage> {
  const driver = await loadDriver(name);
  const settings = readStoreOptions({ path: IN_MEMORY.path });
  const { codecs } = settings;
  const connection = openConnection(driver, IN_MEMORY);
  const database = new Database(connection, undefined);
  const schema = new KnownSchema(database, connection, codecs);
  const file = { connection, schema, isReadOnly: false };
  await prepareFile(file, settings, undefined);
  const files = new OpenFiles(IN_MEMORY);
  return new SqliteStorage(database, {
    location: IN_MEMORY,
    schema,
    codecs,
    files,
  });
}
