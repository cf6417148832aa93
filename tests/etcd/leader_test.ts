/**
 * Kills the leader of a cluster while stores write and watch. No acknowledged
 * write is missing or doubled, and each watch sees each change once, in order.
 * `tests/soak/etcd.ts` does the same with many more writes.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { assertAcknowledgedSurvive } from "../support/etcd/acknowledged.ts";
import { startCluster } from "../support/etcd/cluster.ts";
import { killLeaders } from "../support/etcd/leader_kills.ts";
import { beginningWith, openTestStore } from "../support/etcd/stores.ts";
import { testEtcdServer } from "../support/etcd/test_etcd.ts";

const prefix = "zestor";

testEtcdServer(
  "C1 what is acknowledged survives the leader, and watches see it once",
  async (binary) => {
    await using cluster = await startCluster({ binary });
    await using kills = killLeaders(cluster, { every: 1_500, away: 500 });
    const report = await assertAcknowledgedSurvive({
      cluster,
      prefix,
      writes: 400,
      seconds: 5,
      callers: 4,
    });
    assert(kills.count > 0);
    assert(report.acknowledged >= 400);
  },
);

testEtcdServer(
  "a write waits for the next leader, and is done once",
  async (binary) => {
    await using cluster = await startCluster({ binary });
    const { endpoints } = cluster;
    const leader = await cluster.leader();
    await using store = await openTestStore({
      endpoints: beginningWith(endpoints, leader.url),
      prefix,
      busyTimeout: 30_000,
    });
    await store.set("k", "a", 1);
    await leader.kill();
    const writes = Array.from(
      { length: 20 },
      () => store.update("k", "a", (n) => n + 1),
    );
    const results = await Promise.all(writes);
    assertEquals(
      results.map(({ value }) => value),
      writes.map((_, i) => i + 2),
    );
    assertEquals(await store.get("k", "a"), 21);
    await leader.start();
    await using other = await openTestStore({
      endpoints: [leader.url],
      prefix,
    });
    assertEquals((await other.entry("k", "a"))?.version, 21);
  },
);

testEtcdServer(
  "without a majority a write ends in time, and says that it may be done",
  async (binary) => {
    await using cluster = await startCluster({ binary });
    const { endpoints, members } = cluster;
    await using patient = await openTestStore({
      endpoints,
      prefix,
      busyTimeout: 30_000,
    });
    await patient.set("k", "a", 1);
    await using store = await openTestStore({
      endpoints,
      prefix,
      busyTimeout: 1_500,
    });
    const reader = store.watch("k", { after: 0 }).getReader();
    assertEquals((await reader.read()).value?.value, 1);
    await members[1].kill();
    await members[2].kill();
    const ending = await store.set("k", "a", 2).then(
      () => "done",
      ({ name }) => name,
    );
    assert(
      ["UnknownOutcomeError", "StoreUnavailableError"].includes(ending),
      ending,
    );
    const read = await Promise.resolve(store.get("k", "a")).then(
      () => "done",
      ({ name }) => name,
    );
    assertEquals(read, "StoreUnavailableError");
    await Promise.all([members[1].start(), members[2].start()]);
    // A new leader is elected first, which may take longer than `store` waits.
    await patient.set("k", "b", 3);
    // The write took effect once, or not at all.
    const next = [(await reader.read()).value!];
    if (next[0].key === "a") next.push((await reader.read()).value!);
    assertEquals(next.at(-1)!.key, "b");
    assertEquals(next.length === 2, await patient.get("k", "a") === 2);
    assertEquals(next.at(-1)!.revision, next.length + 1);
    await reader.cancel();
  },
);

testEtcdServer(
  "a member that is paused is left for another one",
  async (binary) => {
    await using cluster = await startCluster({ binary });
    const leader = await cluster.leader();
    await using store = await openTestStore({
      endpoints: beginningWith(cluster.endpoints, leader.url),
      prefix,
      busyTimeout: 30_000,
    });
    await using other = await openTestStore({
      endpoints: (await cluster.followers()).map(({ url }) => url),
      prefix,
      busyTimeout: 30_000,
    });
    await store.set("k", "a", 1);
    const reader = store.watch("k", { after: 0 }).getReader();
    assertEquals((await reader.read()).value?.value, 1);
    await leader.pause();
    await other.set("k", "a", 2);
    // The watch gets each change in the end, and only once.
    assertEquals((await reader.read()).value?.value, 2);
    assertEquals((await store.update("k", "a", (n) => n + 1)).value, 3);
    assertEquals((await reader.read()).value?.value, 3);
    await leader.resume();
    assertEquals((await store.update("k", "a", (n) => n + 1)).value, 4);
    assertEquals((await reader.read()).value?.value, 4);
    await reader.cancel();
  },
);
