/**
 * Cuts connections to etcd: before a request arrives, and after it took effect.
 * Each write is written at most once, and its result or error is true.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openTestStore, type TestStore } from "../support/etcd/stores.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";
import { endingOf, proxyOf } from "../support/postgres/faults.ts";
import type { Proxy } from "../support/postgres/proxy.ts";
import { type Random, withSeed } from "../support/random.ts";
import { readWholeStore } from "../support/whole_store.ts";

const LOSSES = { request: 0.04, answer: 0.04 };

/** Runs a test on a store behind a proxy, and another one past it. */
async function withProxy(
  url: string,
  random: Random,
  work: (cut: TestStore, whole: TestStore, proxy: Proxy) => Promise<void>,
  { busyTimeout = 20_000 } = {},
): Promise<void> {
  await using proxy = proxyOf(url, { random });
  const prefix = freshPrefix();
  await using whole = await openTestStore({ endpoints: [url], prefix });
  await using cut = await openTestStore({
    endpoints: [proxy.url(url)],
    prefix,
    busyTimeout,
  });
  try {
    await work(cut, whole, proxy);
  } finally {
    proxy.mend();
  }
}

/** The number of changes in the store's log. */
async function countChanges(store: TestStore): Promise<number> {
  return (await readWholeStore(store)).head;
}

/** Whether an answer says that a transaction took effect. */
const isCommitted = (chunk: Uint8Array) =>
  /"succeeded": ?true/.test(new TextDecoder("latin1").decode(chunk));

/** The writes of the tests, by name. */
const WRITES: Record<string, (store: TestStore) => Promise<unknown>> = {
  set: (store) => store.set("k", "a", 1),
  update: (store) => store.update("k", "a", (n) => n + 1, { initial: 0 }),
  "set with ifVersion": (store) => store.set("k", "a", 1, { ifVersion: 0 }),
  delete: (store) => store.delete("k", "b"),
  "delete with ifVersion": (store) => store.delete("k", "b", { ifVersion: 1 }),
  setAll: (store) => store.setAll("k", { a: 1 }),
  atomic: async (store) => {
    const b = await store.entry("k", "b");
    const { revision } = b!;
    const result = await store.atomic().check({ kind: "k", key: "b", revision })
      .set("k", "b", 2).commit();
    assert(result.ok, "It met its own write");
  },
  deleteAll: (store) => store.deleteAll("k"),
};

for (const [name, write] of Object.entries(WRITES)) {
  testEtcd(
    `a ${name} whose answer is lost is done once`,
    ({ url }) =>
      withSeed(
        name,
        (random) =>
          withProxy(url, random, async (cut, whole, proxy) => {
            await cut.set("k", "b", 1);
            const losing = proxy.cutNext("answer", isCommitted);
            await write(cut);
            await losing;
            assertEquals(await countChanges(whole), 2);
          }),
      ),
  );
}

testEtcd(
  "an update of others meanwhile does not hide that an answer was lost",
  ({ url }) =>
    withSeed(
      "hidden",
      (random) =>
        withProxy(url, random, async (cut, whole, proxy) => {
          await cut.set("k", "n", 0);
          // The answer is lost, and nothing arrives until another store has written.
          const losing = proxy.cutNext("answer", isCommitted);
          const counted = cut.update("k", "n", (n) => n + 1);
          await losing;
          await proxy.refuse();
          await whole.update("k", "n", (n) => n + 10);
          proxy.mend();
          assertEquals((await counted).value, 1);
          assertEquals(await whole.get("k", "n"), 11);
          assertEquals(await countChanges(whole), 3);
        }),
    ),
);

testEtcd(
  "300 writes: none is doubled, none falsely denied",
  ({ url }) =>
    withSeed(
      "writes",
      (random) =>
        withProxy(url, random, async (cut, whole, proxy) => {
          proxy.cutAtRandom(LOSSES);
          const endings: string[] = [];
          for (let i = 0; i < 100; i++) {
            endings.push(
              ...await Promise.all([
                endingOf(cut.set("k", `s${i}`, i)),
                endingOf(cut.update("k", "n", (n) => n + 1, { initial: 0 })),
                endingOf(cut.set("k", `s${i}`, -i - 1, { ifVersion: 1 })),
              ]),
            );
          }
          proxy.mend();
          assert(proxy.counts.cuts > 5, `Only ${proxy.counts.cuts} cuts`);
          // Each write was retried in time.
          assertEquals(endings.filter((it) => it !== "done"), []);
          assertEquals(await whole.get("k", "n"), 100);
          for (let i = 0; i < 100; i++) {
            const entry = await whole.entry("k", `s${i}`);
            assertEquals([entry?.value, entry?.version], [-i - 1, 2]);
          }
          assertEquals(await countChanges(whole), 300);
        }),
    ),
);

testEtcd(
  "counters of stores that contend are exact",
  ({ url }) =>
    withSeed(
      "counters",
      (random) =>
        withProxy(url, random, async (first, whole, proxy) => {
          const { prefix } = await whole.info();
          await using second = await openTestStore({
            endpoints: [proxy.url(url)],
            prefix,
            busyTimeout: 20_000,
          });
          proxy.cutAtRandom(LOSSES);
          const works: Promise<string>[] = [];
          for (let round = 0; round < 20; round++) {
            for (const store of [first, second, whole]) {
              for (let i = 0; i < 5; i++) {
                works.push(
                  endingOf(
                    store.update("k", `n${i % 2}`, (n) => n + 1, {
                      initial: 0,
                    }),
                  ),
                );
              }
            }
            await Promise.all(works);
          }
          const endings = await Promise.all(works);
          proxy.mend();
          assertEquals(endings.filter((it) => it !== "done"), []);
          assertEquals(await whole.get("k", "n0"), 180);
          assertEquals(await whole.get("k", "n1"), 120);
          assertEquals(await countChanges(whole), 300);
        }),
    ),
);

testEtcd(
  "what has no time to be tried again ends with the truth",
  ({ url }) =>
    withSeed(
      "truth",
      (random) =>
        withProxy(url, random, async (cut, whole, proxy) => {
          let done = 0, unknown = 0;
          for (let i = 0; i < 60; i++) {
            const key = `s${i}`;
            proxy.cutAtRandom({ request: 0.2, answer: 0.2 });
            const ending = await endingOf(cut.set("k", key, i));
            const counted = await endingOf(
              cut.update("k", "n", (n) => n + 1, { initial: 0 }),
            );
            if (counted === "done") done++;
            if (counted === "UnknownOutcomeError") unknown++;
            const found = await whole.get("k", key);
            if (ending === "done") assertEquals(found, i);
            else if (ending === "StoreUnavailableError") {
              assertEquals(found, undefined);
            } else assertEquals(ending, "UnknownOutcomeError");
            const entry = await whole.entry("k", key);
            assert(!entry || entry.version === 1, "It was doubled");
          }
          const n = await whole.get("k", "n") ?? 0;
          assert(n >= done && n <= done + unknown, `${done} ${n} ${unknown}`);
        }, { busyTimeout: 0 }),
    ),
);

testEtcd(
  "a watch over lines that are cut sees each change once, in order",
  ({ url }) =>
    withSeed(
      "watch",
      (random) =>
        withProxy(url, random, async (cut, whole, proxy) => {
          proxy.cutAtRandom({ answer: 0.1 });
          const reader = cut.watch("k", { after: 0 }).getReader();
          const seen: number[] = [];
          for (let i = 1; i <= 100; i++) {
            await whole.set("k", "a", i);
            if (i % 10 === 0) proxy.cut();
            while (i % 7 === 0 && seen.length < i) {
              seen.push((await reader.read()).value!.value);
            }
          }
          while (seen.length < 100) {
            seen.push((await reader.read()).value!.value);
          }
          assertEquals(seen, seen.map((_, i) => i + 1));
          await reader.cancel();
        }),
    ),
);
