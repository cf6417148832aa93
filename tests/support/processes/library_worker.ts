/**
 * A Worker that opens a store, writes to it and closes it, and tells what came
 * of that: the driver it took and the keys that were acknowledged, or an error.
 *
 * @module
 */
import { openStore, type StoreOptions } from "../../../mod.ts";

/** What the Worker tells. */
export interface WorkerReport {
  driver?: string;
  acknowledged: string[];
  error?: string;
}

const report: WorkerReport = { acknowledged: [] };

self.addEventListener("message", async (message) => {
  const { data: options } = message as MessageEvent<StoreOptions>;
  try {
    await using store = await openStore(options);
    report.driver = store.driver;
    for (let i = 0; i < 50; i++) {
      await store.set("k", `worker ${self.name} ${i}`, i);
      report.acknowledged.push(`worker ${self.name} ${i}`);
    }
  } catch (error) {
    report.error = (error as Error).message;
  }
  (self as unknown as { postMessage(report: WorkerReport): void })
    .postMessage(report);
});
