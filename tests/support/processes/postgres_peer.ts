/**
 * The programs of peers that write to one schema, see `../postgres/crowd.ts`.
 * Each accounts for the changes that it made.
 *
 * @module
 */
// @ts-types="@types/pg"
import pg from "pg";
import { openPostgresStore } from "../../../src/postgres/open_postgres_store.ts";
import type { Store } from "../../../mod.ts";
import { Random } from "../random.ts";
import { runProgram, tell } from "./peer_side.ts";

/** Successive changes that one write or transaction made. */
export interface OwnChanges {
  readonly first: number;
  readonly last: number;
  /** What a caller was told of one of them. */
  readonly told: readonly ToldChange[];
}

/** What a caller was told of a change. */
export interface ToldChange {
  readonly revision: number;
  readonly kind: string;
  readonly key: string;
  readonly type: "create" | "update" | "delete";
  readonly version?: number;
  readonly value?: unknown;
}

/** Who writes, and how much. */
export interface CrowdWriterArgs {
  readonly url: string;
  readonly schema: string;
  readonly writer: string;
  /** How many calls or transactions it makes. */
  readonly calls: number;
  /** The file to which it accounts for its changes. */
  readonly account: string;
}

/** How many callers a process has. */
const CALLERS = 20;
/** The keys that all have in common. */
const KEYS = 50;

interface CrowdKinds {
  users: unknown;
  jobs: unknown;
  leases: unknown;
  counter: number;
}

/** Makes calls of every operation by 20 callers. */
async function writeByCallers(
  { url, schema, writer, calls, account }: CrowdWriterArgs,
): Promise<void> {
  const own: OwnChanges[] = [];
  {
    await using store = await openPostgresStore<CrowdKinds>({
      url,
      schema,
      busyTimeout: 60_000,
      history: 1_000_000,
    });
    let called = 0;
    const callSome = async (_: unknown, caller: number) => {
      const random = new Random(`${writer} ${caller}`);
      while (called < calls) {
        const value = { of: writer, n: ++called };
        const changes = await call(store, random, value);
        if (changes) own.push(changes);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, callSome));
  }
  await Deno.writeTextFile(account, JSON.stringify(own));
  tell("done");
}

async function call(
  store: Store<CrowdKinds>,
  random: Random,
  value: unknown,
): Promise<OwnChanges | undefined> {
  const kind = random.pick(["users", "jobs"] as const);
  const key = `k${random.below(KEYS)}`;
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2:
      return one(put(kind, key, value, await store.set(kind, key, value)));
    case 3: {
      const expireIn = random.between(10, 100);
      const set = await store.set("leases", key, value, { expireIn });
      return one(put("leases", key, value, set));
    }
    case 4: {
      const deleted = await store.delete(kind, key);
      return deleted && one({
        revision: deleted.deleteRevision,
        kind,
        key,
        type: "delete",
        version: deleted.version,
        value: deleted.value,
      });
    }
    case 5:
    case 6:
    case 7: {
      const next = await store.update("counter", "n", increment, {
        initial: 0,
      });
      return one(put("counter", "n", next.value, next));
    }
    case 8: {
      const entries = Array.from(
        { length: random.between(2, 10) },
        (_, i) => [`all${i}`, value] as const,
      );
      const { revision } = await store.setAll(kind, entries);
      return { first: revision - entries.length + 1, last: revision, told: [] };
    }
    default: {
      const result = await store.atomic().set("users", key, value)
        .update("counter", "n", increment, { initial: 0 })
        .set("jobs", key, value).delete("jobs", `other${key}`).commit();
      if (!result.ok) throw new Error("An operation without checks failed");
      const [users, counter, jobs] = result.results;
      if (!("value" in counter)) throw new Error("An update has no value");
      const told = [
        put("users", key, value, users),
        put("counter", "n", counter.value, counter),
        put("jobs", key, value, jobs),
      ];
      return { first: users.revision, last: result.revision, told };
    }
  }
}

function increment(n: number): number {
  return n + 1;
}

function put(
  kind: string,
  key: string,
  value: unknown,
  { status, version, revision }: {
    status: string;
    version: number;
    revision: number;
  },
): ToldChange {
  if (status !== "created" && status !== "updated") {
    throw new Error(`A set of a new value is ${status}`);
  }
  const type = status === "created" ? "create" : "update";
  return { revision, kind, key, type, version, value };
}

function one(told: ToldChange): OwnChanges {
  return { first: told.revision, last: told.revision, told: [told] };
}

/** Makes transactions of plain SQL, some of which are rolled back, and some in part. */
async function writeByStatements(
  { url, schema, writer, calls, account }: CrowdWriterArgs,
): Promise<void> {
  const own: OwnChanges[] = [];
  const client = new pg.Client(url);
  await client.connect();
  const run = async (sql: string, ...values: unknown[]) =>
    (await client.query(sql.replaceAll("kv", `${schema}.zestor_kv`), values))
      .rows;
  const head = async () => {
    const [{ head }] = await run(
      `SELECT coalesce(max(revision), 0)::int AS head FROM ${schema}.zestor_changes`,
    );
    return head as number;
  };
  const upsert = (kind: string, value: unknown) =>
    run(
      `INSERT INTO kv (kind, key, value)
        SELECT $1, 'k' || n, convert_to($2, 'UTF8') FROM generate_series(1, 5) AS n
        ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value`,
      kind,
      JSON.stringify(value),
    );
  const random = new Random(writer);
  for (let n = 1; n <= calls; n++) {
    const value = { of: writer, n };
    const taken = { of: writer, takenBack: true };
    await run("BEGIN");
    // A statement takes the lock, even if it finds nothing.
    await run("DELETE FROM kv WHERE kind = 'none'");
    const before = await head();
    await upsert("users", value);
    await run("SAVEPOINT part");
    await upsert("jobs", taken);
    await run("DELETE FROM kv WHERE kind = 'users' AND key < 'k3'");
    await run("ROLLBACK TO part");
    await run("DELETE FROM kv WHERE kind = 'jobs' AND key = 'k3'");
    await run("SAVEPOINT kept");
    await run(
      "UPDATE kv SET value = convert_to($1, 'UTF8') WHERE kind = 'jobs' AND key >= 'k4'",
      JSON.stringify(value),
    );
    await run("RELEASE kept");
    if (random.chance(0.3)) {
      await upsert("jobs", taken);
      await run("ROLLBACK");
      continue;
    }
    const after = await head();
    await run("COMMIT");
    own.push({ first: before + 1, last: after, told: [] });
  }
  await client.end();
  await Deno.writeTextFile(account, JSON.stringify(own));
  tell("done");
}

const programs = { writeByCallers, writeByStatements };

/** The programs by name. */
export type PostgresPrograms = typeof programs;

if (import.meta.main) await runProgram(programs);
