/**
 * Many writes on three nodes, whose leader is killed every few seconds: no
 * acknowledged write may be missing or doubled, and each watch sees each change
 * once, in order.
 *
 * `deno task soak tests/soak/etcd.ts --seconds=120 --writes=10000`
 *
 * @module
 */
import { assertAcknowledgedSurvive } from "../support/etcd/acknowledged.ts";
import { startCluster } from "../support/etcd/cluster.ts";
import { killLeaders } from "../support/etcd/leader_kills.ts";
import { readFlags } from "./flags.ts";

const { seconds, writes, callers, every, away } = readFlags({
  /** Over how many seconds the writes are spread, at least. */
  seconds: 120,
  /** How many writes are to be acknowledged. */
  writes: 10_000,
  /** How many calls each of the three stores has under way at once, at most. */
  callers: 8,
  /** How long a leader leads until it is killed, in ms. */
  every: 3_000,
  /** How long a killed member is away, in ms. */
  away: 1_000,
});

await using cluster = await startCluster();
await using kills = killLeaders(cluster, { every, away });
const report = await assertAcknowledgedSurvive({
  cluster,
  prefix: "zestor",
  writes,
  seconds,
  callers,
});
console.log({ kills: kills.count, ...report });
