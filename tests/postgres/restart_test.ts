/**
 * A server that goes away and comes back: what waits ends with the truth, and
 * watches lose nothing.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreUnavailableError } from "../../mod.ts";
import {
  endingOf,
  openTestStore,
  proxyOf,
  type TestStore,
} from "../support/postgres/faults.ts";
import { startServer } from "../support/postgres/server.ts";
import {
  adminQuery,
  freshSchema,
  newDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { testServer } from "../support/postgres/test_server.ts";
import { until } from "../support/postgres/until.ts";

/**
 * Begins a watch, and gives the values that it tells from then on, when there
 * are so many or it has ended.
 */
async function watchValues(
  store: TestStore,
  count: number,
): Promise<() => Promise<number[]>> {
  const reader = store.watch("k").getReader();
  await store.set("k", "first", -1);
  await reader.read();
  const collect = async () => {
    const values: number[] = [];
    while (values.length < count) {
      const { value, done } = await reader.read();
      if (done) break;
      values.push(value.value);
    }
    await reader.cancel();
    return values;
  };
  const collecting = collect();
  return () => collecting;
}

for (const how of ["stop", "kill"] as const) {
  testServer(`a server's ${how}, and its start`, async (binaries) => {
    // What a crash takes must have been acknowledged to nobody.
    await using server = await startServer({ binaries, fsync: true });
    const busyTimeout = 20_000;
    await using store = await openTestStore({ url: server.url, busyTimeout });
    const told = await watchValues(store, 40);
    const values = Array.from({ length: 40 }, (_, i) => i);
    for (const i of values.slice(0, 20)) await store.set("k", `${i}`, i);
    const writing = values.slice(20, 30).map((i) =>
      endingOf(store.set("k", `${i}`, i))
    );
    await server[how]();
    writing.push(
      ...values.slice(30).map((i) => endingOf(store.set("k", `${i}`, i))),
    );
    const reading = store.get("k", "39");
    await server.start();
    assertEquals(new Set(await Promise.all(writing)), new Set(["done"]));
    assertEquals(await reading, 39);
    assertEquals(await told(), values);
  });
}

testServer("a server that stays away", async (binaries) => {
  await using server = await startServer({ binaries });
  const { url } = server;
  await using store = await openTestStore({ url, busyTimeout: 600 });
  await store.set("k", "a", 1);
  const told = await watchValues(store, 1);
  await server.stop();
  const writing = [1, 2, 3].map((i) => endingOf(store.set("k", "b", i)));
  await assertRejects(
    async () => await store.get("k", "a"),
    StoreUnavailableError,
  );
  const endings = new Set(await Promise.all(writing));
  assertEquals(endings, new Set(["StoreUnavailableError"]));
  await server.start();
  await until("it can be read again", async () => {
    return await endingOf(Promise.resolve(store.get("k", "a"))) === "done";
  });
  await store.set("k", "c", 7);
  assertEquals(await told(), [7]);
  assertEquals(await store.get("k", "b"), undefined);
});

testPostgres(
  "connections that somebody ends are made again",
  async () => {
    await using database = await newDatabase();
    const schema = freshSchema();
    const url = new URL(database.url);
    url.searchParams.set("application_name", schema);
    await using store = await openTestStore({ url, schema });
    const told = await watchValues(store, 30);
    for (let i = 0; i < 30; i++) {
      const ending = i % 3 === 0
        ? adminQuery(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name IN ('zestor', $1) AND datname = $2`,
          [schema, database.name],
        )
        : undefined;
      await Promise.all([store.set("k", `${i}`, i), ending]);
      assertEquals(await store.get("k", `${i}`), i);
    }
    assertEquals(await told(), Array.from({ length: 30 }, (_, i) => i));
  },
);

testPostgres(
  "a refusing port is tried with growing pauses",
  async ({ url }) => {
    await using proxy = proxyOf(url);
    const schema = freshSchema();
    const busyTimeout = 2_000;
    await using store = await openTestStore({
      url: proxy.url(url),
      schema,
      busyTimeout,
    });
    await store.set("k", "a", 1);
    // Accepts, and cuts at once: so tries can be counted.
    const cutting = setInterval(() => proxy.cut(), 1);
    const before = proxy.counts.connections;
    const ending = await endingOf(Promise.resolve(store.get("k", "a")));
    clearInterval(cutting);
    const tries = proxy.counts.connections - before;
    assert(["done", "StoreUnavailableError"].includes(ending), ending);
    assert(tries < 60, `${tries} tries`);
  },
);

testPostgres("a silent network ends what waits in time", async ({ url }) => {
  await using proxy = proxyOf(url);
  const place = { url: proxy.url(url), schema: freshSchema() };
  await using store = await openTestStore({ ...place, busyTimeout: 2_000 });
  // A call ends after twice the timeout at most. A busy machine delays both stores.
  await using patient = await openTestStore({ ...place, busyTimeout: 6_000 });
  await store.set("k", "a", 1);
  const told = await watchValues(store, 1);
  await store.get("k", "a");
  proxy.silence();
  let hasPatientEnded = false;
  const waiting = endingOf(patient.get("k", "a"))
    .finally(() => hasPatientEnded = true);
  const endings = await Promise.all([
    endingOf(store.set("k", "b", 1)),
    endingOf(store.set("k", "c", 1)),
    endingOf(Promise.resolve(store.get("k", "b"))),
  ]);
  for (const ending of endings) {
    assert(/Unavailable|UnknownOutcome/.test(ending), ending);
  }
  assert(!hasPatientEnded, "it took three times the timeout");
  proxy.cut();
  proxy.mend();
  await until(
    "it can be written again",
    async () => await endingOf(store.set("k", "z", 9)) === "done",
  );
  assertEquals(await told(), [9]);
  await waiting;
});

testPostgres(
  "a slow statement is not taken for a dead server",
  async ({ url }) => {
    const schema = freshSchema();
    const busyTimeout = 600;
    await using store = await openTestStore({ url, schema, busyTimeout });
    await adminQuery(
      `CREATE FUNCTION ${schema}.slow() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_sleep(2); RETURN NULL; END';
    CREATE TRIGGER slow AFTER INSERT ON ${schema}.zestor_kv
      FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.slow()`,
    );
    assertEquals((await store.set("k", "a", 1)).version, 1);
  },
);

testPostgres("close ends soon, also in an outage", async ({ url }) => {
  for (const fault of ["silence", "refuse"] as const) {
    await using proxy = proxyOf(url);
    const schema = freshSchema();
    const store = await openTestStore({ url: proxy.url(url), schema });
    await store.set("k", "a", 1);
    const told = await watchValues(store, 1);
    const snapshot = await store.snapshot();
    await proxy[fault]();
    if (fault === "refuse") proxy.cut();
    const start = performance.now();
    await Promise.all([store.close(), store.close()]);
    const took = performance.now() - start;
    assert(took < 3_000, `${fault}: it took ${took} ms`);
    assertEquals(await told(), []);
    await snapshot.close();
  }
});
