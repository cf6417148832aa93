/**
 * How many connections a store has, and what closing it does to all that runs.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreUnavailableError } from "../../mod.ts";
import {
  countConnections,
  storeConnections,
} from "../support/postgres/connections.ts";
import {
  endingOf,
  openTestStore,
  proxyOf,
  type TestStore,
} from "../support/postgres/faults.ts";
import { withClient } from "../support/postgres/query.ts";
import {
  newDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { until } from "../support/postgres/until.ts";

const schema = "zestor";

async function untilCount(url: string, count: number): Promise<void> {
  await until(
    `there are ${count} connections`,
    async () => await countConnections(url) === count,
  );
}

/** Keeps every statement on the entries waiting meanwhile. */
async function whileLocked(
  url: string,
  work: () => Promise<void>,
): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`BEGIN; LOCK TABLE ${schema}.zestor_kv`);
    await work();
    await client.query("COMMIT");
  });
}

testPostgres(
  "an idle store has a connection for reads and one for writes",
  async () => {
    await using database = await newDatabase();
    const { url } = database;
    {
      // With more, a read that meets the search for what has expired has its own.
      const poolSize = 1;
      await using store = await openTestStore({ url, schema, poolSize });
      await store.set("k", "a", 1);
      await store.get("k", "a");
      await untilCount(url, 2);
    }
    await untilCount(url, 0);
  },
);

testPostgres("reads share poolSize connections", async () => {
  await using database = await newDatabase();
  const { url } = database;
  const poolSize = 3;
  {
    await using store = await openTestStore({ url, schema, poolSize });
    await store.set("k", "a", 1);
    let reading: Promise<unknown> | undefined;
    await whileLocked(url, async () => {
      const reads: Promise<unknown>[] = [];
      const readMore = () => reads.push(Promise.resolve(store.get("k", "a")));
      await until("all are used", async () => {
        for (let i = 0; i < 20; i++) readMore();
        const all = await storeConnections(url);
        return all.filter((it) => it.isLocked).length === poolSize;
      });
      for (let i = 0; i < 20; i++) readMore();
      assertEquals(await countConnections(url), poolSize + 1);
      reading = Promise.all(reads);
    });
    await reading;
    assertEquals(await countConnections(url), poolSize + 1);
  }
  await untilCount(url, 0);
});

testPostgres("reads of one moment give their connection back", async () => {
  await using database = await newDatabase();
  const { url } = database;
  await using store = await openTestStore({ url, schema, poolSize: 1 });
  await store.setAll(
    "k",
    Array.from({ length: 5_000 }, (_, i) => [`${i}`, i] as const),
  );
  const whole = await new Response(store.export()).text();
  assertEquals(whole.split("\n").length, 5_001);
  await untilCount(url, 2);

  const reader = store.export().getReader();
  await reader.read();
  await untilCount(url, 3);
  await reader.cancel();
  await untilCount(url, 2);

  const aborted = new AbortController();
  const { signal } = aborted;
  const other = store.export({ signal }).getReader();
  await other.read();
  await untilCount(url, 3);
  aborted.abort();
  assertEquals(await endingOf(other.read()), "AbortError");
  await untilCount(url, 2);

  for await (const _ of store.entries("k")) break;
  await store.verify();
  await using past = await store.snapshot({ at: 1 });
  assertEquals(await past.count("k"), 1);
  await untilCount(url, 2);
});

testPostgres(
  "a read of the history ends in time without a server",
  async () => {
    await using database = await newDatabase();
    const { url } = database;
    await using proxy = proxyOf(url);
    await using store = await openTestStore({
      url: proxy.url(url),
      schema,
      busyTimeout: 200,
    });
    for (let i = 0; i < 3_000; i++) store.set("k", "a", i);
    await store.set("k", "b", 1);
    const changes = store.history("k").getReader();
    await changes.read();
    await proxy.refuse();
    proxy.cut();
    await assertRejects(async () => {
      while (!(await changes.read()).done);
    }, StoreUnavailableError);
  },
);

/** Begins all that a store can do; gives how each ends. */
function beginAll(store: TestStore): Record<string, Promise<string>[]> {
  const watch = async (persistent: boolean) => {
    for await (const _ of store.watch("k", { initial: true, persistent }));
  };
  const text = () => new Response(store.export()).text();
  const many = (work: (i: number) => unknown) =>
    Array.from(
      { length: 5 },
      (_, i) => endingOf(Promise.resolve().then(() => work(i))),
    );
  return {
    writes: [
      ...many((i) => store.set("k", `w${i}`, i)),
      ...many(() => store.update("k", "n", (n) => n + 1, { initial: 0 })),
    ],
    reads: [
      ...many((i) => store.get("k", `${i}`)),
      ...many(() => store.list("k")),
    ],
    watches: many((i) => watch(i % 2 === 0)),
    exports: many(text),
    histories: many(() => Array.fromAsync(store.history("k"))),
    verifications: many(() => store.verify()),
    snapshots: many(async () => await (await store.snapshot()).list("k")),
  };
}

/** How each is allowed to end. */
const ENDINGS: Record<string, readonly string[]> = {
  writes: ["done"],
  reads: ["done", "StoreClosedError"],
  watches: ["done", "StoreClosedError"],
  exports: ["done", "StoreClosedError"],
  histories: ["done", "StoreClosedError"],
  verifications: ["done", "StoreClosedError"],
  snapshots: ["done", "StoreClosedError"],
};

for (const server of ["there", "away", "silent"] as const) {
  testPostgres(
    `everything ends if a store is closed, with a server that is ${server}`,
    async () => {
      await using database = await newDatabase();
      const { url } = database;
      await using proxy = proxyOf(url);
      const store = await openTestStore({
        url: proxy.url(url),
        schema,
        busyTimeout: server === "there" ? 30_000 : 600,
      });
      await store.setAll(
        "k",
        Array.from({ length: 2_000 }, (_, i) => [`${i}`, i] as const),
      );
      const begun = beginAll(store);
      await store.get("k", "1");
      if (server === "away") {
        await proxy.refuse();
        proxy.cut();
      } else if (server === "silent") proxy.silence();
      const later = beginAll(store);
      // They begin in the next turn of the promises.
      await undefined;
      const closing = store.close();
      await Promise.all([closing, store.close()]);
      const untold = server === "there"
        ? []
        : ["StoreUnavailableError", "UnknownOutcomeError"];
      for (const part of [begun, later]) {
        for (const [what, endings] of Object.entries(part)) {
          for (const ending of await Promise.all(endings)) {
            const isAllowed = [...ENDINGS[what], ...untold].includes(ending);
            assert(isAllowed, `${what}: ${ending}`);
          }
        }
      }
      proxy.cut();
      await untilCount(url, 0);
    },
  );
}
