/**
 * Checks the histories of processes on three nodes, while processes and the leader
 * are killed. `tests/soak/etcd_linearizable.ts` does the same with many more calls.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { startCluster } from "../support/etcd/cluster.ts";
import { testEtcdServer } from "../support/etcd/test_etcd.ts";
import { assertProcessesLinearize } from "../support/history/processes.ts";
import { prefixPlace } from "../support/processes/places.ts";
import { withSeed } from "../support/random.ts";

testEtcdServer(
  "the calls of processes are linearizable if leaders are killed [etcd]",
  async (binary) => {
    await using cluster = await startCluster({ binary });
    const place = prefixPlace({
      endpoints: cluster.endpoints,
      prefix: "zestor",
    });
    await withSeed("etcd killed", (random) =>
      assertProcessesLinearize(random, {
        processes: 3,
        callers: 8,
        operations: 300,
        callsOfLife: 300,
        place: () => place,
        durability: "full",
        disturb: async () => {
          await delay(random.between(500, 1_500));
          const leader = await cluster.leader();
          await leader.kill();
          await delay(random.between(0, 500));
          await leader.start();
        },
      }));
  },
);
