/**
 * Files with many entries, made by plain SQL. Most of the entries are written
 * without the triggers, to save minutes, and the last ones have a change log.
 *
 * @module
 */
import { openStore } from "../../mod.ts";
import { nodeSqlite } from "../subjects/binding.ts";
import { KIND } from "../subjects/store.ts";
import { entriesOf, keyOf, SMALL } from "../values.ts";

/** A file with many entries of one kind, and a few of another. */
export interface BigFile {
  readonly path: string;
  /** How many entries the large kind has. */
  readonly count: number;
}

/** The kind with a few entries. */
export const SMALL_KIND = "small";
/** How many these are. */
export const SMALL_COUNT = 100;

/** Makes a file whose log has the last `logged` changes. */
export async function makeBigFile(
  path: string,
  count: number,
  logged: number,
): Promise<void> {
  const store = await openStore({ path, driver: "builtin" });
  await store.setAll(SMALL_KIND, entriesOf(SMALL, SMALL_COUNT));
  await store.close();
  const connection = nodeSqlite.open(path);
  connection.exec("PRAGMA synchronous = OFF");
  const insert = connection.prepare(
    "INSERT INTO zestor_kv (kind, key, value) VALUES (?, ?, ?)",
  );
  const encoder = new TextEncoder();
  const insertAll = (start: number, end: number) => {
    connection.exec("BEGIN");
    for (let n = start; n < end; n++) {
      const value = encoder.encode(JSON.stringify(SMALL.of(n)));
      insert.run(KIND, keyOf(n), value);
    }
    connection.exec("COMMIT");
  };
  const triggers = connection.prepare(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'",
  ).all();
  for (const { name } of triggers) connection.exec(`DROP TRIGGER ${name}`);
  insertAll(0, count - logged);
  for (const { sql } of triggers) connection.exec(sql);
  insertAll(count - logged, count);
  connection.close();
}

/** "10 k", "1 M". */
export function formatSize(count: number): string {
  if (count >= 1e6) return `${count / 1e6} M`;
  return count >= 1e4 ? `${count / 1e3} k` : String(count);
}
