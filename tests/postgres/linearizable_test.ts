/**
 * Whether the calls of several processes on one schema are linearizable, while
 * processes are killed, and the server too. Many more calls:
 * `tests/soak/postgres_linearizable.ts`.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { assertProcessesLinearize } from "../support/history/processes.ts";
import { startServer } from "../support/postgres/server.ts";
import {
  newDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { testServer } from "../support/postgres/test_server.ts";
import { schemaPlace } from "../support/processes/places.ts";
import { withSeed } from "../support/random.ts";

const CALLS = {
  processes: 3,
  callers: 8,
  operations: 300,
  callsOfLife: 300,
} as const;

testPostgres(
  "the calls of processes that are killed are linearizable [postgres]",
  async () => {
    await using database = await newDatabase();
    const place = schemaPlace({ url: database.url, schema: "zestor" });
    await withSeed("postgres", (random) =>
      assertProcessesLinearize(random, {
        ...CALLS,
        place: () => place,
        durability: "normal",
      }));
  },
);

testServer(
  "the calls of processes are linearizable if the server is killed [postgres]",
  async (binaries) => {
    await using server = await startServer({ binaries });
    const place = schemaPlace({ url: server.url, schema: "zestor" });
    await withSeed(
      "postgres killed",
      (random) =>
        assertProcessesLinearize(random, {
          ...CALLS,
          place: () => place,
          durability: "full",
          disturb: async () => {
            await delay(random.between(500, 1_500));
            await server.kill();
            await server.start();
          },
        }),
    );
  },
);
