/**
 * Watches, stores and operations leave nothing behind, however they end: no
 * object, no listener on a signal, no open file, and nothing that keeps the
 * process running. How much memory is left in the long run is the soak's.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { drivers } from "../support/drivers.ts";
import { leaksIn, runLeakSide } from "../support/leaks/leak_check.ts";

/** Memory is not measured. */
const BOUNDS = { heap: 0, resident: 0 };

const engines = [
  ...drivers.map(({ name }) => name),
  "memory",
  "remote",
] as const;

for (const engine of engines) {
  const { test } = drivers.find(({ name }) => name === engine) ?? drivers[0];
  test(`ended operations leave nothing behind [${engine}]`, async () => {
    const rests = await runLeakSide({
      engine,
      watches: 150,
      stores: 20,
      operations: 100,
      writes: 1_000,
      memory: "ignored",
    });
    assertEquals(rests.length, 34);
    assertEquals(leaksIn(rests, BOUNDS), []);
  });
}
