/**
 * A writer whose cluster leaves many reads unanswered.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { endpointOf, forward } from "../support/etcd/forwarding.ts";
import { openTestStore } from "../support/etcd/stores.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";

/** More than a store has under way. */
const READS = 50;

testEtcd("writes do not wait for reads without an answer", async ({ url }) => {
  const open = Promise.withResolvers<void>();
  let isHolding = false;
  await using server = forward(url, {
    // The reads of a writer are transactions.
    hold: (pathname) =>
      isHolding && pathname.endsWith("/range") ? open.promise : undefined,
  });
  await using store = await openTestStore({
    endpoints: [endpointOf(server)],
    prefix: freshPrefix(),
    busyTimeout: 120_000,
    callTimeout: 60_000,
  });
  await store.set("k", "a", 1);
  isHolding = true;
  let answered = 0;
  const reads = Promise.all(Array.from({ length: READS }, async () => {
    const value = await store.get("k", "a");
    answered++;
    return value;
  }));
  try {
    await store.set("k", "b", 2);
    await store.setAll("k", [["a", 3], ["c", 3]]);
    await store.atomic().check({ kind: "k", key: "b", exists: true })
      .delete("k", "c").commit();
    const { deleted } = await store.deleteAll("k", { prefix: "b" });
    assertEquals([deleted, answered], [1, 0]);
  } finally {
    open.resolve();
  }
  assertEquals(await reads, Array(READS).fill(3));
});
