/**
 * Random operations on a store, very many, compared with a model.
 *
 * `deno task soak tests/soak/model.ts --operations=1000000 --store=builtin --history=1000`
 *
 * @module
 */
import { openStore } from "../../mod.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { simulate } from "../support/model/simulation.ts";
import { Random } from "../support/random.ts";
import { tempDir } from "../support/temp_dir.ts";
import { readFlags } from "./flags.ts";

const { operations, store, history, seed } = readFlags({
  operations: 1_000_000,
  /** `builtin`, `ffi` or `memory`. */
  store: "builtin",
  history: 1_000,
});

await using dir = await tempDir();
const isInMemory = store === "memory";
const report = await simulate(new Random(seed), {
  open: () =>
    isInMemory ? openMemoryStore({ history }) : openStore({
      path: dir.file("app.db"),
      driver: store as "builtin" | "ffi",
      history,
      durability: "normal",
    }),
  kept: !isInMemory,
  history,
  operations,
});
console.log(report);
