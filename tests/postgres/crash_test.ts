/**
 * What is left in a schema if the processes that write it are killed, and the
 * server too. Many more rounds: `tests/soak/postgres_crash.ts`.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  assertSurvivesCrashes,
  WHOLE_HISTORY,
} from "../support/processes/crash.ts";
import { schemaPlace } from "../support/processes/places.ts";
import { startServer } from "../support/postgres/server.ts";
import {
  newDatabase,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { testServer } from "../support/postgres/test_server.ts";
import { withSeed } from "../support/random.ts";

const HISTORIES = [WHOLE_HISTORY, 100];

for (const history of HISTORIES) {
  const short = history === WHOLE_HISTORY ? "" : ", with a short history";

  testPostgres(
    `C1 acknowledged writes survive the process, C2 whole${short} [postgres]`,
    async () => {
      await using database = await newDatabase();
      const place = schemaPlace({ url: database.url, schema: "zestor" });
      await withSeed(
        `postgres ${history}`,
        (random) =>
          assertSurvivesCrashes(random, {
            place: () => place,
            durability: "normal",
            history,
            rounds: 2,
            acknowledgements: 200,
          }),
      );
    },
  );

  testServer(
    `C1 acknowledged writes survive the server, C2 whole${short} [postgres]`,
    async (binaries) => {
      await using server = await startServer({ binaries });
      const place = schemaPlace({ url: server.url, schema: "zestor" });
      await withSeed(
        `postgres server ${history}`,
        (random) =>
          assertSurvivesCrashes(random, {
            place: () => place,
            durability: "full",
            history,
            rounds: 1,
            acknowledgements: 300,
            disturb: async () => {
              await delay(random.below(300));
              await server.kill();
              await server.start();
            },
          }),
      );
    },
  );
}
