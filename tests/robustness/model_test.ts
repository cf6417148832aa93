/**
 * Random operations on each store, compared with a model. Many more of them:
 * `tests/soak/model.ts`.
 *
 * @module
 */
import { openStore } from "../../mod.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { drivers, testOnEachDriver } from "../support/drivers.ts";
import { simulate } from "../support/model/simulation.ts";
import { withSeed } from "../support/random.ts";
import { tempDir } from "../support/temp_dir.ts";

const OPERATIONS = 3_000;
/** The second makes watches fall behind. */
const HISTORIES = [100_000, 200];

for (const history of HISTORIES) {
  const name = `a store does what the model does, with a history of ${history}`;

  testOnEachDriver(`${name}, in a file`, async ({ name: driver }) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await withSeed("file", (random) =>
      simulate(random, {
        open: () => openStore({ path, driver, history, durability: "normal" }),
        kept: true,
        history,
        operations: OPERATIONS,
      }));
  });

  const [{ test }] = drivers;
  test(`${name} [memory]`, async () => {
    await withSeed("memory", (random) =>
      simulate(random, {
        open: () => openMemoryStore({ history }),
        kept: false,
        history,
        operations: OPERATIONS,
      }));
  });
}
