/**
 * Lines that are cut at random: before a request arrives, and after its commit.
 * What was written is written once, and each write ends with the truth.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  endingOf,
  openTestStore,
  proxyOf,
  type TestStore,
} from "../support/postgres/faults.ts";
import {
  freshSchema,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { type Random, withSeed } from "../support/random.ts";
import type { Proxy } from "../support/postgres/proxy.ts";

const LOSSES = { request: 0.04, answer: 0.04 };

/** Runs a test on a store behind a proxy, and another one past it. */
async function withProxy(
  url: string,
  random: Random,
  work: (cut: TestStore, whole: TestStore, proxy: Proxy) => Promise<void>,
  options: { busyTimeout?: number; poolSize?: number } = {},
): Promise<void> {
  await using proxy = proxyOf(url, { random });
  const schema = freshSchema();
  await using whole = await openTestStore({ url, schema, history: 100_000 });
  await using cut = await openTestStore({
    url: proxy.url(url),
    schema,
    history: 100_000,
    ...options,
  });
  try {
    await work(cut, whole, proxy);
  } finally {
    proxy.mend();
  }
}

testPostgres(
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
          assert(proxy.counts.cuts > 20, `Only ${proxy.counts.cuts} cuts`);
          // Each was tried again in time.
          assertEquals(endings.filter((it) => it !== "done"), []);
          assertEquals(await whole.get("k", "n"), 100);
          for (let i = 0; i < 100; i++) {
            const entry = await whole.entry("k", `s${i}`);
            assertEquals([entry?.value, entry?.version], [-i - 1, 2]);
          }
          const { log } = await whole.info();
          assertEquals(log.newest, 300);
        }),
    ),
);

testPostgres(
  "counters of stores that contend are exact",
  ({ url }) =>
    withSeed(
      "counters",
      (random) =>
        withProxy(url, random, async (first, whole, proxy) => {
          const { schema } = await whole.info();
          await using second = await openTestStore({
            url: proxy.url(url),
            schema,
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
          assertEquals(
            endings.filter((it) => it !== "done"),
            [],
          );
          assertEquals(await whole.get("k", "n0"), 180);
          assertEquals(await whole.get("k", "n1"), 120);
          const events = await Array.fromAsync(whole.history("k"));
          assertEquals(events.length, 300);
        }, { busyTimeout: 20_000 }),
    ),
);

testPostgres(
  "a write without time for a retry ends with the true outcome",
  ({ url }) =>
    withSeed(
      "truth",
      (random) =>
        withProxy(url, random, async (cut, whole, proxy) => {
          const counts: Record<string, number> = {};
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
            counts[ending] = (counts[ending] ?? 0) + 1;
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
          assertEquals(
            Object.keys(counts).filter((it) =>
              !["done", "StoreUnavailableError", "UnknownOutcomeError"]
                .includes(
                  it,
                )
            ),
            [],
          );
        }, { busyTimeout: 0 }),
    ),
);

testPostgres(
  "an atomic write is whole",
  ({ url }) =>
    withSeed(
      "atomic",
      (random) =>
        withProxy(url, random, async (cut, whole, proxy) => {
          await whole.setAll("k", { a: 0, b: 0 });
          proxy.cutAtRandom(LOSSES);
          const work = async () => {
            for (let i = 0; i < 20; i++) {
              const [a, b] = await Promise.all([
                cut.entry("k", "a"),
                cut.entry("k", "b"),
              ]);
              await endingOf(
                cut.atomic()
                  .check({ kind: "k", key: "a", version: a!.version })
                  .check({ kind: "k", key: "b", version: b!.version })
                  .set("k", "a", a!.value + 1).set("k", "b", b!.value + 1)
                  .commit(),
              );
            }
          };
          await Promise.all([work(), work()]);
          proxy.mend();
          const [a, b] = [
            await whole.entry("k", "a"),
            await whole.entry("k", "b"),
          ];
          assertEquals(a!.value, b!.value);
          assertEquals(a!.value, a!.version - 1);
        }),
    ),
);

const large = (value: number) =>
  new Map(Array.from({ length: 7_000 }, (_, i) => [`e${i}`, value]));

/** What a proxy sees of the commit of a write in parts, and of its parts. */
const isCommit = (chunk: Uint8Array) =>
  new TextDecoder("latin1").decode(chunk).includes("COMMIT");

testPostgres(
  "a large setAll, cut before its commit, is written once",
  ({ url }) =>
    withSeed(
      "large",
      (random) =>
        withProxy(url, random, async (cut, whole, proxy) => {
          const cutting = proxy.cutNext("request", isCommit);
          assertEquals((await cut.setAll("k", large(1))).created, 7_000);
          await cutting;
          assertEquals((await whole.info()).log.newest, 7_000);
        }),
    ),
);

testPostgres(
  "a large setAll, cut in the middle, is whole",
  ({ url }) =>
    withSeed(
      "middle",
      (random) =>
        withProxy(url, random, async (cut, whole, proxy) => {
          let chunks = 0;
          const cutting = proxy.cutNext("answer", () => ++chunks === 3);
          const result = await cut.setAll("k", large(1));
          await cutting;
          assertEquals(result.created, 7_000);
          assertEquals((await whole.info()).log.newest, 7_000);
          assertEquals(await whole.count("k"), 7_000);
        }),
    ),
);
