/**
 * Many calls of several processes on one file, while processes are killed: the
 * history must be linearizable.
 *
 * `deno task soak tests/soak/linearizable.ts --operations=100000 --drivers=builtin --wal=yes`
 *
 * @module
 */
import { assertProcessesLinearize } from "../support/history/processes.ts";
import { filePlace } from "../support/processes/places.ts";
import { Random } from "../support/random.ts";
import { readFlags } from "./flags.ts";

const { seed, drivers, wal, durability, ...numbers } = readFlags({
  operations: 100_000,
  processes: 4,
  /** Calls of a process that are under way at once, at most. */
  callers: 6,
  /** Calls of a process until it ends, at most. */
  callsOfLife: 1_500,
  /** What the processes take by turns: `builtin`, `ffi` or `builtin,ffi`. */
  drivers: "builtin",
  /** `yes` or `no`. */
  wal: "yes",
  /** `full` or `normal`. */
  durability: "normal",
});

const report = await assertProcessesLinearize(new Random(seed), {
  ...numbers,
  place: (dir) =>
    filePlace(dir.file("app.db"), {
      drivers: drivers.split(",") as ("builtin" | "ffi")[],
      wal: wal === "yes",
    }),
  durability: durability as "full" | "normal",
});
console.log(report);
