/**
 * A Worker that opens a store, writes to it and closes it, and tells what came
 * of that: the driver it took and the keys that were acknowledged, or an error.
 *
 * @module
 */
import { openStore } from "../../../mod.ts";

/** What the Worker tells. */
export interface WorkerReport {
  driver?: string;
  acknowledged: string[];
  error?: string;
}

const report: WorkerReport = { acknowledged: [] };

self.addEventListener("message", async (message) => {
  const { data: path } = message as MessageEvent<string>;
  try {
    await using store = await openStore({ path });
    report.driver = store.driver;
    for (let i = 0; i < 20; i++) {
      await store.set("k", `worker ${i}`, i);
      report.acknowledged.push(`worker ${i}`);
    }
  } catch (error) {
    report.error = (error as Error).message;
  }
  (self as unknown as { postMessage(report: WorkerReport): void })
    .postMessage(report);
});
