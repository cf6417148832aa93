/**
 * Many calls of several processes on three nodes, while processes are killed,
 * and the leader too: the history must be linearizable.
 *
 * `deno task soak tests/soak/etcd_linearizable.ts --operations=20000 --every=2000`
 *
 * @module
 */
import { startCluster } from "../support/etcd/cluster.ts";
import { killLeaders } from "../support/etcd/leader_kills.ts";
import { assertProcessesLinearize } from "../support/history/processes.ts";
import { prefixPlace } from "../support/processes/places.ts";
import { Random } from "../support/random.ts";
import { readFlags } from "./flags.ts";

const { seed, every, away, ...numbers } = readFlags({
  operations: 20_000,
  processes: 4,
  /** Calls of a process that are under way at once, at most. */
  callers: 8,
  /** Calls of a process until it ends, at most. */
  callsOfLife: 1_500,
  /** How long a leader leads until it is killed, in ms. */
  every: 2_000,
  /** How long a killed member is away, in ms. */
  away: 500,
});

await using cluster = await startCluster();
await using kills = killLeaders(cluster, { every, away });
const place = prefixPlace({ endpoints: cluster.endpoints, prefix: "zestor" });
const report = await assertProcessesLinearize(new Random(seed), {
  ...numbers,
  place: () => place,
  durability: "full",
});
console.log({ leaderKills: kills.count, ...report });
