/**
 * Kills the processes that write to a cluster, and the cluster's leader, and then
 * checks the data that is left.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { startCluster } from "../support/etcd/cluster.ts";
import {
  freshPrefix,
  testEtcd,
  testEtcdServer,
} from "../support/etcd/test_etcd.ts";
import {
  assertSurvivesCrashes,
  WHOLE_HISTORY,
} from "../support/processes/crash.ts";
import { prefixPlace } from "../support/processes/places.ts";
import { withSeed } from "../support/random.ts";

testEtcd(
  "C1 what is acknowledged survives the process, C2 whole [etcd]",
  async ({ url }) => {
    const place = prefixPlace({ endpoints: [url], prefix: freshPrefix() });
    await withSeed("etcd", (random) =>
      assertSurvivesCrashes(random, {
        place: () => place,
        durability: "full",
        history: WHOLE_HISTORY,
        rounds: 2,
        acknowledgements: 200,
      }));
  },
);

testEtcdServer(
  "C1 what is acknowledged survives the leader, C2 whole [etcd]",
  async (binary) => {
    await using cluster = await startCluster({ binary });
    const { endpoints } = cluster;
    const place = prefixPlace({ endpoints, prefix: "zestor" });
    await withSeed("etcd leader", (random) =>
      assertSurvivesCrashes(random, {
        place: () => place,
        durability: "full",
        history: WHOLE_HISTORY,
        rounds: 1,
        acknowledgements: 300,
        disturb: async () => {
          await delay(random.below(300));
          const leader = await cluster.leader();
          await leader.kill();
          await leader.start();
        },
      }));
  },
);
