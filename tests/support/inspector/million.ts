/**
 * A kind of a million entries.
 *
 * @module
 */
import { openStore } from "../../../mod.ts";
import { connect, fileAt } from "../connect.ts";
import { drivers } from "../drivers.ts";

const [builtin] = drivers;

/** So many entries. */
export const MILLION = 1_000_000;

/** The key of an entry; the value is the number. */
export function keyOf(i: number): string {
  return String(i).padStart(7, "0");
}

/**
 * Writes the entries of the kind "n" into a file, beneath the store: a store would take a minute. Each has
 * the revision of the first one.
 */
export async function fill(path: string): Promise<void> {
  {
    await using store = await openStore({ path, driver: "builtin" });
    await store.set("n", keyOf(0), 0);
  }
  using connection = await connect(builtin, fileAt(path));
  const triggers = connection.prepare(
    `SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`,
  ).all();
  connection.exec("BEGIN");
  for (const { name } of triggers) connection.exec(`DROP TRIGGER ${name}`);
  connection.exec(`
    WITH RECURSIVE n (i) AS
      (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MILLION - 1})
    INSERT INTO zestor_kv (kind, key, value, revision)
      SELECT 'n', printf('%07d', i), CAST(i AS BLOB), 1 FROM n`);
  for (const { sql } of triggers) connection.exec(String(sql));
  connection.exec("COMMIT");
}
