/**
 * Stores that use a member which is cut off from the others. The member still
 * answers, but gets no new changes.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { StoreUnavailableError } from "../../mod.ts";
import { assertAcknowledgedSurvive } from "../support/etcd/acknowledged.ts";
import { type Cluster, startCluster } from "../support/etcd/cluster.ts";
import type { Member } from "../support/etcd/member.ts";
import { beginningWith, openTestStore } from "../support/etcd/stores.ts";
import { testEtcdServer } from "../support/etcd/test_etcd.ts";
import { until } from "../support/postgres/until.ts";

const prefix = "zestor";

/** The member to cut off: the leader, or another one. */
const MEMBERS: Record<string, (cluster: Cluster) => Promise<Member>> = {
  "the leader": (cluster) => cluster.leader(),
  "a follower": async (cluster) => (await cluster.followers())[0],
};

for (const [name, choose] of Object.entries(MEMBERS)) {
  testEtcdServer(
    `a store leaves ${name} that is cut off, and so does its watch`,
    async (binary) => {
      await using cluster = await startCluster({ binary, isolable: true });
      const member = await choose(cluster);
      const { endpoints } = cluster;
      await using store = await openTestStore({
        endpoints: beginningWith(endpoints, member.url),
        prefix,
        busyTimeout: 30_000,
      });
      await using other = await openTestStore({
        endpoints: endpoints.filter((url) => url !== member.url),
        prefix,
        busyTimeout: 30_000,
      });
      await store.set("k", "a", 1);
      const reader = store.watch("k", { after: 0 }).getReader();
      assertEquals((await reader.read()).value?.value, 1);

      cluster.isolate(member);
      await other.set("k", "a", 2);
      assertEquals((await reader.read()).value?.value, 2);
      // A read never gives stale data.
      assertEquals(await store.get("k", "a"), 2);
      assertEquals((await store.update("k", "a", (n) => n + 1)).value, 3);
      assertEquals((await reader.read()).value?.value, 3);

      cluster.heal();
      assertEquals((await other.update("k", "a", (n) => n + 1)).value, 4);
      assertEquals((await reader.read()).value?.value, 4);
      await reader.cancel();
    },
  );
}

testEtcdServer(
  "a store that knows only a member that is cut off reads nothing stale",
  async (binary) => {
    await using cluster = await startCluster({ binary, isolable: true });
    const member = await cluster.leader();
    const [other] = await cluster.followers();
    await using store = await openTestStore({
      endpoints: [member.url],
      prefix,
      busyTimeout: 1_000,
    });
    await store.set("k", "a", 1);
    cluster.isolate(member);
    await using majority = await openTestStore({
      endpoints: [other.url],
      prefix,
      busyTimeout: 30_000,
    });
    await majority.set("k", "a", 2);
    await assertRejects(
      async () => await store.get("k", "a"),
      StoreUnavailableError,
    );
    cluster.heal();
    await until(
      "the member is back",
      () =>
        Promise.resolve(store.get("k", "a")).then(
          (value) => value === 2,
          () => false,
        ),
    );
  },
);

testEtcdServer(
  "C1 what is acknowledged survives cuts of the leader's lines",
  async (binary) => {
    await using cluster = await startCluster({ binary, isolable: true });
    await assertAcknowledgedSurvive({
      cluster,
      prefix,
      writes: 120,
      seconds: 3,
      callers: 3,
      disturb: async () => {
        const leader = await cluster.leader();
        cluster.isolate(leader);
        await until(
          "another one leads",
          async () => await cluster.leader() !== leader,
        );
        cluster.heal();
        await Promise.all(cluster.members.map((member) => member.ready()));
        await delay(1_000);
      },
    });
  },
);
