/**
 * Whether the calls of several processes on one file are linearizable, while
 * processes are killed. Many more calls: `tests/soak/linearizable.ts`.
 *
 * @module
 */
import { assertGreater } from "@std/assert";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { type Fault, withFault } from "../support/history/broken_store.ts";
import { makeCalls } from "../support/history/callers.ts";
import {
  assertLinearizable,
  findFlaws,
} from "../support/history/check_history.ts";
import type { Operation } from "../support/history/calls.ts";
import type { HistoryStore } from "../support/history/perform.ts";
import { assertProcessesLinearize } from "../support/history/processes.ts";
import { readTrace, TraceWriter } from "../support/history/trace.ts";
import { filePlace } from "../support/processes/places.ts";
import { drivers, testOnEachDriver } from "../support/drivers.ts";
import { Random, withSeed } from "../support/random.ts";
import { tempDir } from "../support/temp_dir.ts";

for (const wal of [true, false]) {
  const name = `the calls of processes that are killed are linearizable${
    wal ? "" : ", without a write-ahead log"
  }`;
  testOnEachDriver(name, async ({ name: driver }) => {
    await withSeed(name, (random) =>
      assertProcessesLinearize(random, {
        place: (dir) =>
          filePlace(dir.file("app.db"), { drivers: [driver], wal }),
        durability: "normal",
        processes: 3,
        callers: 4,
        operations: 300,
        callsOfLife: 200,
      }));
  });
}

const [{ test }] = drivers;

test("the calls of many callers are linearizable [memory]", async () => {
  await withSeed("memory", async (random) => {
    await using store = await openMemoryStore<Record<string, string>>();
    const history = await historyOf(store, random);
    assertLinearizable(history);
  });
});

for (
  const fault of ["answers from a stale cache", "ignores ifVersion"] as Fault[]
) {
  test(`a store that ${fault} is not linearizable [memory]`, async () => {
    const random = new Random(fault);
    await using store = await openMemoryStore<Record<string, string>>();
    const broken = withFault(store, fault, random);
    assertGreater(findFlaws(await historyOf(broken, random)).length, 0);
  });
}

async function historyOf(
  store: HistoryStore,
  { seed }: Random,
): Promise<Operation[]> {
  await using dir = await tempDir();
  const path = dir.file("trace.ndjson");
  using trace = new TraceWriter(path);
  await makeCalls(store, trace, { name: "1", seed, callers: 8, calls: 2_000 });
  return await readTrace(path);
}
