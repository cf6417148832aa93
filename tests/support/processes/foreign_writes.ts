/**
 * Writes for others to do, and the changes that a watch has to tell of them:
 * each a story from an empty file, whose steps follow each other.
 *
 * @module
 */
import type { Store } from "../../../src/contract/store.ts";

/** Steps by name, each with what it does and the changes it makes, see `told`. */
export type Story<Action> = Readonly<
  Record<string, readonly [action: Action, changes: readonly string[]]>
>;

/** A store's operations. */
export const STORE_STORY: Story<(store: Store) => Promise<unknown>> = {
  "a set of a new key": [
    (store) => store.set("k", "a", 1),
    ["create k/a@1 1"],
  ],
  "a set of another value": [
    (store) => store.set("k", "a", { n: [2, "é"] }),
    ['update k/a@2 {"n":[2,"é"]}'],
  ],
  "a set of the same value": [
    (store) => store.set("k", "a", { n: [2, "é"] }),
    [],
  ],
  "a set of another version": [
    (store) => store.set("k", "a", 3, { ifVersion: 7 }).catch(() => {}),
    [],
  ],
  "setAll": [
    (store) => store.setAll("k", { c: 3, a: 4, b: 5 }),
    ["update k/a@3 4", "create k/b@1 5", "create k/c@1 3"],
  ],
  "writes that share a transaction, one of which fails": [
    (store) =>
      Promise.all([
        store.set("l", "x", 1),
        store.update("k", "none", () => 1).catch(() => {}),
        store.set("k", "b", 6),
        store.set("l", "x", 2),
      ]),
    ["create l/x@1 1", "update k/b@2 6", "update l/x@2 2"],
  ],
  "an update": [
    (store) => store.update("k", "b", (n) => (n as number) + 1),
    ["update k/b@3 7"],
  ],
  "an update that throws": [
    (store) =>
      store.update("k", "b", () => {
        throw new Error("no");
      }).catch(() => {}),
    [],
  ],
  "an atomic operation": [
    (store) =>
      store.atomic().check({ kind: "k", key: "b", version: 3 })
        .set("k", "b", 8).set("l", "y", 1).delete("k", "c").set("k", "c", 9)
        .delete("l", "x").delete("l", "none").commit(),
    [
      "update k/b@4 8",
      "create l/y@1 1",
      "delete k/c@1 3",
      "create k/c@1 9",
      "delete l/x@2 2",
    ],
  ],
  "an atomic operation whose check fails": [
    (store) =>
      store.atomic().check({ kind: "k", key: "b", version: 3 })
        .set("k", "b", 10).delete("k", "c").commit(),
    [],
  ],
  "a delete": [
    (store) => store.delete("k", "a"),
    ["delete k/a@3 4"],
  ],
  "a delete of no key": [
    (store) => store.delete("k", "a"),
    [],
  ],
  "the key anew": [
    (store) => store.set("k", "a", 1),
    ["create k/a@1 1"],
  ],
};

const COLUMNS = "zestor_kv (kind, key, value)";
const A = "kind = 'k' AND key = 'a'";
const G = "kind = 'k' AND key = 'g'";

/** Plain SQL. */
export const SQL_STORY: Story<string> = {
  "an insert": [
    `INSERT INTO ${COLUMNS} VALUES ('k', 'a', '{"n":1}')`,
    ['create k/a@1 {"n":1}'],
  ],
  "an insert of several rows": [
    `INSERT INTO ${COLUMNS} VALUES ('k', 'b', CAST('3' AS BLOB)),
      ('l', 'a', 4), ('k', 'c', '"é"')`,
    ["create k/b@1 3", "create l/a@1 4", 'create k/c@1 "é"'],
  ],
  "an update that leaves the version alone": [
    `UPDATE zestor_kv SET value = 2 WHERE ${A}`,
    ["update k/a@2 2"],
  ],
  "an update that counts the version": [
    `UPDATE zestor_kv SET value = 3, version = version + 1 WHERE ${A}`,
    ["update k/a@3 3"],
  ],
  "an update to the same value": [
    `UPDATE zestor_kv SET value = '3', version = version + 1 WHERE ${A}`,
    [],
  ],
  "an upsert": [
    `INSERT INTO ${COLUMNS} VALUES ('k', 'a', 4), ('k', 'd', 5)
      ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value`,
    ["update k/a@4 4", "create k/d@1 5"],
  ],
  "a replace": [
    `INSERT OR REPLACE INTO ${COLUMNS} VALUES ('k', 'a', 6), ('k', 'e', 7)`,
    ["update k/a@5 6", "create k/e@1 7"],
  ],
  "a replace with the same value": [
    `REPLACE INTO ${COLUMNS} VALUES ('k', 'a', '6')`,
    [],
  ],
  "an update of a key": [
    `UPDATE zestor_kv SET key = 'f' WHERE ${A}`,
    ["delete k/a@5 6", "create k/f@1 6"],
  ],
  "an update of a kind": [
    `UPDATE zestor_kv SET kind = 'l' WHERE kind = 'k' AND key = 'f'`,
    ["delete k/f@1 6", "create l/f@1 6"],
  ],
  "a delete": [
    "DELETE FROM zestor_kv WHERE kind = 'k' AND key = 'e'",
    ["delete k/e@1 7"],
  ],
  "a transaction": [
    `BEGIN IMMEDIATE;
    INSERT INTO ${COLUMNS} VALUES ('k', 'g', 1);
    UPDATE zestor_kv SET value = 2 WHERE ${G};
    INSERT INTO ${COLUMNS} VALUES ('l', 'i', 3);
    DELETE FROM zestor_kv WHERE ${G};
    INSERT INTO ${COLUMNS} VALUES ('k', 'g', 4);
    COMMIT`,
    [
      "create k/g@1 1",
      "update k/g@2 2",
      "create l/i@1 3",
      "delete k/g@2 2",
      "create k/g@1 4",
    ],
  ],
  "a transaction that is rolled back": [
    `BEGIN IMMEDIATE;
    INSERT INTO ${COLUMNS} VALUES ('k', 'h', 1), ('l', 'h', 1);
    UPDATE zestor_kv SET value = 9;
    DELETE FROM zestor_kv;
    ROLLBACK`,
    [],
  ],
  "a transaction of which a part is rolled back": [
    `BEGIN IMMEDIATE;
    UPDATE zestor_kv SET value = 5 WHERE ${G};
    SAVEPOINT s;
    UPDATE zestor_kv SET value = 6 WHERE ${G};
    DELETE FROM zestor_kv WHERE kind = 'l';
    ROLLBACK TO s;
    UPDATE zestor_kv SET value = 7 WHERE ${G};
    COMMIT`,
    ["update k/g@2 5", "update k/g@3 7"],
  ],
  // In key order, which is the order in which they were made.
  "a delete of a kind": [
    "DELETE FROM zestor_kv WHERE kind = 'k'",
    ["delete k/b@1 3", 'delete k/c@1 "é"', "delete k/d@1 5", "delete k/g@3 7"],
  ],
  "the key anew": [
    `INSERT INTO ${COLUMNS} VALUES ('k', 'g', 1), ('l', 'z', 1)`,
    ["create k/g@1 1", "create l/z@1 1"],
  ],
};

/** A statement and its parameters: names as text, the last or the first one a value, as bytes. */
export interface Prepared {
  readonly sql: string;
  readonly params: readonly (string | { readonly bytes: string })[];
}

const NOW = "STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')";
const BEGIN: Prepared = { sql: "BEGIN", params: [] };
const COMMIT: Prepared = { sql: "COMMIT", params: [] };
const ROLLBACK: Prepared = { sql: "ROLLBACK", params: [] };

function insert(kind: string, key: string, bytes: string): Prepared {
  return {
    sql:
      "INSERT INTO zestor_kv(kind,key,value) VALUES(?,?,?) ON CONFLICT(kind,key) DO NOTHING;",
    params: [kind, key, { bytes }],
  };
}

function update(kind: string, key: string, bytes: string): Prepared {
  return {
    sql: `
UPDATE zestor_kv
SET value=?, version=version+1, updated_at=${NOW}
WHERE kind=? AND key=?;`,
    params: [{ bytes }, kind, key],
  };
}

function upsert(kind: string, key: string, bytes: string): Prepared {
  return {
    sql: `
INSERT INTO zestor_kv(kind,key,value) VALUES(?,?,?)
ON CONFLICT(kind,key) DO UPDATE SET
  value      = excluded.value,
  version    = zestor_kv.version + 1,
  updated_at = ${NOW};`,
    params: [kind, key, { bytes }],
  };
}

function remove(kind: string, key: string): Prepared {
  return {
    sql: "DELETE FROM zestor_kv WHERE kind=? AND key=?;",
    params: [kind, key],
  };
}

/** The statements of the Go store, in its transactions. */
export const GO_STORY: Story<readonly Prepared[]> = {
  "Set of a new key": [
    [BEGIN, insert("k", "a", "1"), COMMIT],
    ["create k/a@1 1"],
  ],
  "Set of another value": [
    [BEGIN, insert("k", "a", "2"), update("k", "a", "2"), COMMIT],
    ["update k/a@2 2"],
  ],
  "Set of the same value": [
    [BEGIN, insert("k", "a", "2"), COMMIT],
    [],
  ],
  "Set that is rolled back": [
    [BEGIN, insert("k", "a", "3"), update("k", "a", "3"), ROLLBACK],
    [],
  ],
  "SetMany": [
    [
      BEGIN,
      upsert("k", "a", "3"),
      upsert("k", "b", "4"),
      upsert("k", "c", "5"),
      COMMIT,
    ],
    ["update k/a@3 3", "create k/b@1 4", "create k/c@1 5"],
  ],
  "SetFn": [
    [BEGIN, update("k", "b", "6"), COMMIT],
    ["update k/b@2 6"],
  ],
  "Delete": [
    [BEGIN, remove("k", "a"), COMMIT],
    ["delete k/a@3 3"],
  ],
  "Set anew, and of another kind": [
    [
      BEGIN,
      insert("l", "a", "1"),
      COMMIT,
      BEGIN,
      insert("k", "a", "3"),
      COMMIT,
    ],
    ["create l/a@1 1", "create k/a@1 3"],
  ],
};
