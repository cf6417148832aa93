/**
 * Writes that the server has no room or no time for. Each fails alone: nothing
 * of it is written, and its neighbours are.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  InvalidNameError,
  StoreBusyError,
  StoreError,
  StoreFullError,
  StoreTooLargeError,
} from "../../mod.ts";
import {
  openPostgresStore,
  type PostgresStore,
} from "../../src/postgres/open_postgres_store.ts";
import { openTestStore } from "../support/postgres/faults.ts";
import { queryAt, withClient } from "../support/postgres/query.ts";
import {
  newDatabase,
  type TestDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { until } from "../support/postgres/until.ts";
import { runWatch } from "../support/postgres/watch.ts";

/** Opens a store of texts. */
const openTexts = (url: string): Promise<PostgresStore<{ k: string }>> =>
  openPostgresStore<{ k: string }>({ url });

/** Asserts that a write fails, and that those sent with it do not. */
async function assertFailsAlone(
  store: PostgresStore<{ k: string }>,
  write: () => Promise<unknown>,
  // deno-lint-ignore no-explicit-any -- any error
  type: new (...args: any[]) => Error,
  message: string,
): Promise<void> {
  const before = (await store.info()).log.newest;
  const [one, failed, two] = await Promise.allSettled([
    store.set("k", "one", crypto.randomUUID()),
    write(),
    store.set("k", "two", crypto.randomUUID()),
  ]);
  assertEquals([one.status, two.status], ["fulfilled", "fulfilled"]);
  assert(failed.status === "rejected");
  assert(failed.reason instanceof type, failed.reason);
  assertStringIncludes(failed.reason.message, message);
  assertEquals((await store.info()).log.newest, before + 2);
  assertEquals(await store.keys("k"), ["one", "two"]);
}

testPostgres("a kind and a key have up to 2000 bytes", async () => {
  await using database = await newDatabase();
  await using store = await openTexts(database.url);
  for (const char of ["x", "ä", "☃", "😀"]) {
    const { length } = new TextEncoder().encode(char);
    const longest = char.repeat(Math.floor(1_999 / length)).padEnd(
      Math.floor(1_999 / length) * char.length + 1_999 % length,
      "x",
    );
    await store.set("k", longest, char);
    assertEquals(await store.get("k", longest), char);
    await store.update("k", longest, (value) => `${value}!`);
    await store.delete("k", longest);
    const long = `${longest}x`;
    const name = "a kind and a key of 2001 bytes together";
    for (
      const write of [
        () => store.set("k", long, "1"),
        () => store.setAll("k", { a: "1", [long]: "1" }),
        () => store.update("k", long, () => "1", { initial: "1" }),
        () => store.atomic().set("k", "a", "1").set("k", long, "1").commit(),
      ]
    ) {
      await assertFailsAlone(store, write, StoreTooLargeError, name);
    }
  }
});

testPostgres("a value has up to 16 MiB", async () => {
  await using database = await newDatabase();
  await using store = await openTexts(database.url);
  const MOST = 16 * 1024 * 1024;
  // JSON has two quotes around it.
  const most = "x".repeat(MOST - 2);
  await store.set("k", "a", most);
  assert(await store.get("k", "a") === most);
  await store.delete("k", "a");
  const limit = `this store takes at most ${MOST}`;
  for (
    const write of [
      () => store.set("k", "a", `${most}x`),
      () => store.setAll("k", { a: "1", b: `${most}x` }),
      () => store.update("k", "a", () => `${most}x`, { initial: `${most}x` }),
    ]
  ) await assertFailsAlone(store, write, StoreTooLargeError, limit);
});

testPostgres("a name has no NUL, and a value may have some", async () => {
  await using database = await newDatabase();
  await using store = await openTexts(database.url);
  await store.set("k", "one", "\0");
  await store.update("k", "one", (value) => `${value}\0`);
  assertEquals(await store.get("k", "one"), "\0\0");
  await assertFailsAlone(
    store,
    async () => await store.set("k", "a\0b", "1"),
    InvalidNameError,
    "",
  );
});

/** Makes a trigger, as others may, that runs before a row is inserted. */
async function addTrigger(
  { url }: TestDatabase,
  table: string,
  body: string,
): Promise<void> {
  await queryAt(
    url,
    `CREATE FUNCTION public.obstacle() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN ${body} RETURN NEW; END $$;
    CREATE TRIGGER obstacle BEFORE INSERT ON zestor.${table}
      FOR EACH ROW EXECUTE FUNCTION public.obstacle()`,
  );
}

for (const table of ["zestor_kv", "zestor_entries", "zestor_changes"]) {
  testPostgres(`the disk is full, at a write to ${table}`, async () => {
    await using database = await newDatabase();
    await using store = await openTestStore({ url: database.url });
    await store.set("k", "a", 1);
    await using watch = await runWatch(store);
    await addTrigger(
      database,
      table,
      "IF NEW.key = 'full' THEN RAISE 'could not extend file' USING ERRCODE = '53100'; END IF;",
    );
    const full = () => store.set("k", "full", 1);
    const endings = await Promise.allSettled([
      store.set("k", "a", 2),
      full(),
      store.setAll("k", { b: 1, full: 2 }),
      store.update("k", "a", (n) => n + 1),
    ]);
    assertEquals(
      endings.map((it) => it.status === "rejected" && it.reason.name),
      [false, "StoreFullError", "StoreFullError", false],
    );
    await assertRejects(full, StoreFullError, "the server's disk is full");
    await queryAt(database.url, "DROP FUNCTION public.obstacle CASCADE");
    await full();
    assertEquals(await watch.next(3), [
      "update a=2 v2",
      "update a=3 v3",
      "create full=1 v1",
    ]);
    assertEquals(await store.keys("k"), ["a", "full"]);
    assertEquals(await store.verify(), []);
  });
}

/** The URL of connections with settings. */
function withSettings(url: string, settings: Record<string, string>): string {
  const own = new URL(url);
  const options = Object.entries(settings).map(([name, value]) =>
    `-c ${name}=${value}`
  );
  own.searchParams.set("options", options.join(" "));
  return own.href;
}

testPostgres("a statement_timeout that is too short", async () => {
  await using database = await newDatabase();
  const { url } = database;
  await (await openTestStore({ url })).close();
  await using store = await openTestStore({
    url: withSettings(url, { statement_timeout: "400" }),
    busyTimeout: 60_000,
  });
  await store.set("k", "a", 1);
  const assertEnded = async (write: () => Promise<unknown>) => {
    const error = await assertRejects(write, StoreError);
    assertEquals(error.code, "STORAGE");
    assertStringIncludes(
      error.message,
      "a statement_timeout of the role or database must leave room for it",
    );
  };
  await withClient(url, async (client) => {
    await client.query(
      `BEGIN; INSERT INTO zestor.zestor_kv (kind, key, value) VALUES ('k','b','1')`,
    );
    await assertEnded(() => store.set("k", "a", 2));
    await client.query("ROLLBACK");
  });
  await addTrigger(
    database,
    "zestor_kv",
    "IF NEW.key = 'slow' THEN PERFORM pg_sleep(600); END IF;",
  );
  await assertEnded(() => store.set("k", "slow", 1));
  await store.set("k", "a", 3);
  assertEquals(await store.keys("k"), ["a"]);
  assertEquals((await store.info()).log.newest, 2);
});

testPostgres("a deadlock with plain SQL is retried", async () => {
  await using database = await newDatabase();
  const { url } = database;
  await (await openTestStore({ url })).close();
  await using store = await openTestStore({
    url: withSettings(url, { deadlock_timeout: "10" }),
    busyTimeout: 60_000,
  });
  const GATE = 4_711;
  await queryAt(url, "CREATE TABLE public.other AS SELECT 0 AS writes");
  await addTrigger(
    database,
    "zestor_kv",
    `IF NEW.key = 'store' THEN
      PERFORM pg_advisory_xact_lock(${GATE});
      UPDATE public.other SET writes = writes + 1;
    END IF;`,
  );
  const waiting = (application: string) =>
    until(`${application} waits for a lock`, async () => {
      const rows = await queryAt(
        url,
        `SELECT FROM pg_stat_activity WHERE datname = current_database()
          AND application_name = '${application}' AND wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
  await withClient(url, (gate) =>
    withClient(url, async (plain) => {
      await gate.query(`SELECT pg_advisory_lock(${GATE})`);
      // It waits as long as it has to: the store is the one that is ended.
      await plain.query(
        "SET deadlock_timeout = '1h'; SET application_name = 'plain'; BEGIN; UPDATE public.other SET writes = writes + 10",
      );
      const writing = store.set("k", "store", 1);
      await waiting("zestor");
      const inserting = plain.query(
        "INSERT INTO zestor.zestor_kv (kind, key, value) VALUES ('k','plain','2')",
      );
      await waiting("plain");
      await gate.query(`SELECT pg_advisory_unlock(${GATE})`);
      await inserting;
      await plain.query("COMMIT");
      await writing;
    }));
  const changes = await Array.fromAsync(
    store.history("k"),
  );
  assertEquals(changes.map(({ key }) => key), ["plain", "store"]);
  assertEquals(await queryAt(url, "SELECT writes FROM public.other"), [{
    writes: 11,
  }]);
  await queryAt(url, "DROP FUNCTION public.obstacle CASCADE");
  assertEquals(await store.verify(), []);
});

for (const code of ["40001", "40P01"]) {
  testPostgres(
    `a write that the server ends with ${code} is retried`,
    async () => {
      await using database = await newDatabase();
      const { url } = database;
      await using store = await openTestStore({ url, busyTimeout: 60_000 });
      await queryAt(url, "CREATE SEQUENCE public.tries");
      const fail = (when: string) =>
        `IF ${when} THEN RAISE 'in the way' USING ERRCODE = '${code}'; END IF;`;
      await addTrigger(
        database,
        "zestor_kv",
        fail("nextval('public.tries') <= 3"),
      );
      await store.set("k", "a", 1);
      await Promise.all([
        store.setAll("k", { a: 2, b: 2 }),
        store.update("k", "a", (n) => n + 1),
      ]);
      assertEquals(await store.get("k", "a"), 3);
      assertEquals((await store.info()).log.newest, 4);

      await using hasty = await openTestStore({ url, busyTimeout: 100 });
      await queryAt(url, "DROP FUNCTION public.obstacle CASCADE");
      await addTrigger(database, "zestor_kv", fail("true"));
      await assertRejects(
        () => hasty.set("k", "z", 9),
        StoreBusyError,
        "in the way",
      );
      assertEquals(await store.get("k", "a"), 3);
    },
  );
}
