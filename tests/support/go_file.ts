/**
 * A file as the Go store leaves it.
 *
 * @module
 */
import { connect, fileAt } from "./connect.ts";
import type { TestDriver } from "./drivers.ts";

/** Makes one, with an entry: its table, its index, and no change log. */
export async function createGoFile(
  driver: TestDriver,
  path: string,
): Promise<void> {
  using db = await connect(driver, fileAt(path));
  db.exec(`CREATE TABLE zestor_kv (kind TEXT NOT NULL, key TEXT NOT NULL,
      value BLOB NOT NULL, version INTEGER NOT NULL DEFAULT 1,
      updated_at TEXT NOT NULL, PRIMARY KEY(kind, key));
    CREATE INDEX idx_kv_kind ON zestor_kv(kind);
    INSERT INTO zestor_kv VALUES
      ('k', 'a', '1', 3, '2024-01-02T03:04:05.678Z')`);
}
