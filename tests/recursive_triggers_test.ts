/**
 * `PRAGMA recursive_triggers`, which many tools set: a replace then runs the
 * delete trigger. The log has to tell the same as without it.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import type { Connection, Row } from "../src/sqlite/driver/driver.ts";
import { inspectFile } from "../src/sqlite/format/inspect_file.ts";
import { upgradeFile } from "../src/sqlite/format/upgrade_file.ts";
import { connect, preparingOnce } from "./support/connect.ts";
import { type TestDriver, testOnEachDriver } from "./support/drivers.ts";
import {
  execUnlessRefused,
  isInTransaction,
  randomStatements,
} from "./support/random_statements.ts";

async function emptyStore(
  driver: TestDriver,
  recursive: "ON" | "OFF",
): Promise<Connection & Disposable> {
  const db = preparingOnce(await connect(driver));
  upgradeFile(db, inspectFile(db), new Map());
  db.exec(`PRAGMA recursive_triggers = ${recursive}`);
  return db;
}

/** The changes past a revision, and what there is. */
function told(db: Connection, revision: number): Row[][] {
  // All but times and marks, which differ.
  const changes = db.prepare(
    `SELECT revision, kind, key, type, version, value, previous, expires_at,
      previous_revision, previous_expires_at
    FROM zestor_changes WHERE revision > ? ORDER BY revision`,
  ).all(revision);
  const entries = db.prepare(
    `SELECT kind, key, value, version, revision, expires_at FROM zestor_kv
    ORDER BY kind, key`,
  ).all();
  return [changes, entries];
}

const STATEMENTS = 4_000;

for (const seed of [1, 2, 3, 4]) {
  testOnEachDriver(
    `${STATEMENTS} random statements have the same log with recursive triggers, seed ${seed}`,
    async (driver) => {
      using plain = await emptyStore(driver, "OFF");
      using recursive = await emptyStore(driver, "ON");
      const statement = randomStatements(seed, { fresh: true });
      let since: string[] = [];
      let revision = 0;
      for (let i = 0; i < STATEMENTS; i++) {
        const sql = statement();
        since.push(sql);
        for (const db of [plain, recursive]) execUnlessRefused(db, sql);
        const message = since.join(";\n");
        const inTransaction = isInTransaction(plain);
        assertEquals(isInTransaction(recursive), inTransaction, message);
        if (inTransaction) continue;
        const expected = told(plain, revision);
        assertEquals(told(recursive, revision), expected, message);
        revision = expected[0].at(-1)?.revision as number ?? revision;
        since = [];
      }
      assertGreater(revision, STATEMENTS / 4);
    },
  );
}

for (const index of ["value", "version, value"]) {
  testOnEachDriver(
    `the log tells all if a replace displaces several entries, unique by ${index}`,
    async (driver) => {
      using db = await emptyStore(driver, "ON");
      db.exec(`
        CREATE UNIQUE INDEX u ON zestor_kv (${index});
        INSERT INTO zestor_kv (kind, key, value) VALUES
          ('k', 'a', 1), ('k', 'b', 2), ('k', 'c', 3), ('k', 'd', 4);
        REPLACE INTO zestor_kv (kind, key, value) VALUES ('k', 'a', 2);
        UPDATE OR REPLACE zestor_kv SET key = 'c', value = 4, version = 1
          WHERE key = 'a'`);
      const [changes, entries] = told(db, 0);
      const versions = new Map<unknown, unknown>();
      for (const { key, type, version } of changes) {
        assertEquals(versions.has(key), type !== "create", `${type} ${key}`);
        if (type === "update") {
          assertEquals(version, versions.get(key) as number + 1);
        }
        if (type === "delete") versions.delete(key);
        else versions.set(key, version);
      }
      assertEquals(
        versions,
        new Map(entries.map(({ key, version }) => [key, version])),
      );
      assertEquals(entries.map(({ key }) => key), ["c"]);
    },
  );
}
