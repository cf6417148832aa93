/**
 * Many calls of several processes on one schema, while processes are killed, and
 * the server too: the history must be linearizable.
 *
 * `deno task soak tests/soak/postgres_linearizable.ts --operations=100000 --kills=yes`
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { assertProcessesLinearize } from "../support/history/processes.ts";
import { startServer } from "../support/postgres/server.ts";
import { schemaPlace } from "../support/processes/places.ts";
import { Random } from "../support/random.ts";
import { readFlags } from "./flags.ts";

const { seed, kills, ...numbers } = readFlags({
  operations: 100_000,
  processes: 4,
  /** Calls of a process that are under way at once, at most. */
  callers: 8,
  /** Calls of a process until it ends, at most. */
  callsOfLife: 1_500,
  /** Whether the server is killed: `yes` or `no`. */
  kills: "yes",
});

await using server = await startServer();
const place = schemaPlace({ url: server.url, schema: "zestor" });
const random = new Random(seed);
const report = await assertProcessesLinearize(random, {
  ...numbers,
  place: () => place,
  durability: "full",
  disturb: async () => {
    if (kills !== "yes") return;
    await delay(random.between(500, 2_000));
    await server.kill();
    await server.start();
  },
});
console.log(report);
