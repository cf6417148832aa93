/**
 * The programs of peers that write plain SQL, and know nothing of this package,
 * see `peer.ts`.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { Account } from "./account.ts";
import type { Prepared } from "./foreign_writes.ts";
import { heard, runProgram, tell } from "./peer_side.ts";
import { Random } from "../random.ts";
import type { CrowdWriterArgs } from "./store_peer.ts";

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA busy_timeout = 60000; PRAGMA synchronous = NORMAL");
  return db;
}

/** Runs the SQL that it hears, text or statements, and answers each time. */
async function runSql({ path }: { path: string }): Promise<void> {
  const db = open(path);
  const encoder = new TextEncoder();
  tell("ready");
  for (;;) {
    const sql = await heard<string | Prepared[]>();
    if (sql === undefined) return db.close();
    if (typeof sql === "string") {
      db.exec(sql);
    } else {
      for (const { sql: statement, params } of sql) {
        db.prepare(statement).run(
          ...params.map((param) =>
            typeof param === "string" ? param : encoder.encode(param.bytes)
          ),
        );
      }
    }
    tell("done");
  }
}

const INSERT = "INSERT INTO zestor_kv (kind, key, value) VALUES (?, ?, ?)";
const UPSERT =
  `${INSERT} ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value`;
const COUNTING_UPSERT = `${UPSERT}, version = version + 1`;
const REPLACE =
  "INSERT OR REPLACE INTO zestor_kv (kind, key, value) VALUES (?, ?, ?)";
const UPDATE = "UPDATE zestor_kv SET value = ? WHERE kind = ? AND key = ?";
const COUNTING_UPDATE =
  "UPDATE zestor_kv SET value = ?, version = version + 1 WHERE kind = ? AND key = ?";
const RENAME = "UPDATE zestor_kv SET key = ? WHERE kind = ? AND key = ?";
const DELETE = "DELETE FROM zestor_kv WHERE kind = ? AND key = ?";
const VERSION = "SELECT version FROM zestor_kv WHERE kind = ? AND key = ?";

/** Writes many changes by all kinds of statements, and takes some back. */
// deno-lint-ignore require-await -- programs are asynchronous
async function writeMuchSql(
  { path, writer, changes, account: accountFile }: CrowdWriterArgs,
): Promise<void> {
  const db = open(path);
  const account = new Account(writer);
  const statements = new Map(
    [
      INSERT,
      UPSERT,
      COUNTING_UPSERT,
      REPLACE,
      UPDATE,
      COUNTING_UPDATE,
      RENAME,
      DELETE,
      VERSION,
    ].map((sql) => [sql, db.prepare(sql)]),
  );
  const run = (sql: string, ...params: string[]) =>
    statements.get(sql)!.run(...params);

  for (let round = 0; account.length < changes; round++) {
    const random = new Random(`${writer}${round}`);
    const kind = round % 3 === 0 ? "jobs" : "users";
    const put = (sql: string, key: string) => {
      const value = JSON.stringify(account.put(kind, key));
      if (sql.startsWith("UPDATE")) run(sql, value, kind, key);
      else run(sql, kind, key, value);
    };
    /** What comes of nothing: it is taken back. */
    const vandalize = () => {
      db.exec(`UPDATE zestor_kv SET value = '{"of":"${writer}"}'
        WHERE kind = '${kind}' AND key > '${account.ownKey(190)}';
        DELETE FROM zestor_kv WHERE key >= 's'`);
      run(REPLACE, kind, account.ownKey(9999), `{"of":"${writer}"}`);
    };

    db.exec("BEGIN IMMEDIATE");
    for (let i = 0; i < 100; i++) {
      const key = account.ownKey(random.below(200));
      if (account.versionOf(kind, key) === 0) {
        put([INSERT, UPSERT, REPLACE][i % 3], key);
      } else if (i % 10 === 0) {
        account.remove(kind, key);
        run(DELETE, kind, key);
      } else if (i % 10 === 1) {
        const next = account.ownKey(200 + random.below(200));
        if (account.versionOf(kind, next) > 0) continue;
        account.put(kind, next, account.remove(kind, key));
        run(RENAME, next, kind, key);
      } else {
        const how = [UPSERT, COUNTING_UPSERT, REPLACE, UPDATE, COUNTING_UPDATE];
        put(how[i % how.length], key);
      }
    }
    db.exec("SAVEPOINT part");
    if (round % 4 === 0) vandalize();
    db.exec("ROLLBACK TO part; RELEASE part");
    for (let i = 0; i < 5; i++) {
      const key = `shared/${random.below(10)}`;
      const value = account.nextValue();
      run(UPSERT, kind, key, JSON.stringify(value));
      const row = statements.get(VERSION)!.get(kind, key)!;
      const version = row.version as number;
      const status = version === 1 ? "created" : "updated";
      account.reserve()(kind, key, value, { status, version });
    }
    db.exec("COMMIT");

    if (round % 5 === 0) {
      db.exec("BEGIN IMMEDIATE");
      vandalize();
      db.exec("ROLLBACK");
    }
    // One without a transaction of its own.
    put(COUNTING_UPSERT, account.ownKey(random.below(200)));
  }
  db.close();
  Deno.writeTextFileSync(accountFile, JSON.stringify(account.changes));
  tell("done");
}

const programs = { runSql, writeMuchSql };

/** The programs by name. */
export type SqlPrograms = typeof programs;

if (import.meta.main) await runProgram(programs);
