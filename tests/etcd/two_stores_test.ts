/**
 * Several stores on one prefix: no write is lost to a write of another store, and
 * all stores see the same entries.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { openTestStore, type TestStore } from "../support/etcd/stores.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";
import { readWholeStore } from "../support/whole_store.ts";

/** Runs a test on two stores of one prefix. */
function testOnTwo(
  name: string,
  test: (one: TestStore, two: TestStore) => Promise<void>,
): void {
  testEtcd(name, async ({ url }) => {
    const place = { endpoints: [url], prefix: freshPrefix() };
    await using one = await openTestStore(place);
    await using two = await openTestStore(place);
    await test(one, two);
  });
}

testOnTwo(
  "what another store wrote is not decided on what was there before",
  async (one, two) => {
    await one.set("k", "a", 1);
    await two.set("k", "a", 10);
    // The store learns of the other store's transaction, but not of the entry.
    await one.set("k", "b", 1);
    const { value } = await one.update("k", "a", (n) => n + 1);
    assertEquals(value, 11);
    assertEquals((await two.entry("k", "a"))?.version, 3);
  },
);

testOnTwo(
  "conditions, no-ops and deletions hold for what another store wrote",
  async (one, two) => {
    for (const key of ["a", "b", "c", "d"]) await one.set("k", key, 1);
    await two.setAll("k", { a: 2, b: 2, c: 2 });
    await two.delete("k", "d");
    await one.set("k", "other", 1);
    const refused = await one.set("k", "a", 3, { ifVersion: 1 }).then(
      () => undefined,
      ({ actual }) => actual,
    );
    assertEquals(refused, 2);
    // The value from before the other store's write is a change again.
    assertEquals((await one.set("k", "b", 1)).status, "updated");
    assertEquals((await one.delete("k", "c"))?.value, 2);
    assertEquals((await one.set("k", "d", 1)).status, "created");
    assertEquals((await readWholeStore(two)).head, 4 + 4 + 1 + 3);
  },
);

testOnTwo("counters of two stores lose no increment", async (one, two) => {
  const works: Promise<unknown>[] = [];
  for (let round = 0; round < 10; round++) {
    for (const store of [one, two]) {
      for (let i = 0; i < 5; i++) {
        const key = `n${i % 3}`;
        works.push(store.update("k", key, (n) => n + 1, { initial: 0 }));
      }
    }
    await works.at(-1);
  }
  await Promise.all(works);
  assertEquals(await one.list("k"), await two.list("k"));
  const found = await two.values("k");
  assertEquals(found.reduce((sum, { value }) => sum + value, 0), 100);
});

testOnTwo(
  "an entry that expires is gone for both, and its end is told once",
  async (one, two) => {
    const seen = [one, two].map((store) => store.watch("k").getReader());
    // A watch begins when it is called, not when it is read.
    await one.set("k", "a", 1, { expireIn: 150 });
    await two.set("k", "b", 2, { expireIn: 150 });
    const events = await Promise.all(seen.map(async (reader) => {
      const lines: string[] = [];
      while (lines.length < 4) {
        const event = (await reader.read()).value!;
        const end = event.type === "delete" && event.expired ? " expired" : "";
        lines.push(`${event.revision} ${event.type} ${event.key}${end}`);
      }
      return lines;
    }));
    assertEquals(events[0], events[1]);
    assertEquals(events[0].slice(0, 2), ["1 create a", "2 create b"]);
    assertEquals(
      events[0].slice(2).map((line) => line.slice(2)).sort(),
      ["delete a expired", "delete b expired"],
    );
    assertEquals(await one.keys("k"), []);
    assertEquals(await two.keys("k"), []);
    await one.set("k", "end", 0);
    for (const reader of seen) {
      assertEquals((await reader.read()).value?.key, "end");
      await reader.cancel();
    }
    assertEquals((await readWholeStore(one)).head, 5);
  },
);

testOnTwo(
  "an expiry that another store took back, or moved, is not carried out",
  async (one, two) => {
    await one.set("k", "a", 1, { expireIn: 200 });
    await one.set("k", "b", 1, { expireIn: 200 });
    await one.set("k", "c", 1, { expireIn: 200 });
    await two.set("k", "a", 1);
    await two.set("k", "b", 1, { expireIn: 3_600_000 });
    const reader = two.watch("k").getReader();
    const { value } = await reader.read();
    assertEquals([value?.type, value?.key], ["delete", "c"]);
    assertEquals(await one.keys("k"), ["a", "b"]);
    await reader.cancel();
  },
);
