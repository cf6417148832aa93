/**
 * Kills the leader of a cluster and restarts it, again and again.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";

/** How often leaders are killed. */
export interface KillOptions {
  /** How long a leader leads until it is killed, in ms. */
  readonly every: number;
  /** How long a killed member stays down, in ms. */
  readonly away: number;
}

/** Kills that go on until they are stopped. */
export interface Kills {
  /** The number of kills. */
  readonly count: number;
  /** Stops the kills. All members run again when it resolves. */
  stop(): Promise<void>;
}

/** Begins to kill leaders. Stop it also if the test fails. */
export function killLeaders(
  cluster: Cluster,
  { every, away }: KillOptions,
): Kills & AsyncDisposable {
  const stopped = new AbortController();
  const { signal } = stopped;
  const pause = (ms: number) =>
    delay(ms, undefined, { signal }).catch(() => {});
  let count = 0;
  const killing = (async () => {
    while (!signal.aborted) {
      await pause(every);
      if (signal.aborted) break;
      const leader = await cluster.leader();
      await leader.kill();
      count++;
      await pause(away);
      await leader.start();
    }
  })();
  const stop = async () => {
    stopped.abort();
    await killing;
  };
  return {
    get count() {
      return count;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
