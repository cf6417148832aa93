/**
 * Processes that are killed while they write and watch a schema, and the server
 * too, many times.
 *
 * `deno task soak tests/soak/postgres_crash.ts --rounds=100 --kills=yes`
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
import { Random } from "../support/random.ts";
import { readFlags } from "./flags.ts";

/** How many rounds one schema goes through. */
const ROUNDS_PER_SCHEMA = 10;

const { rounds, kills, seed } = readFlags({
  rounds: 100,
  /** Whether the server is killed: `yes` or `no`. */
  kills: "yes",
});

await using server = await startServer();
for (let schema = 0, done = 0; done < rounds; schema++) {
  const place = schemaPlace({ url: server.url, schema: `zestor_${schema}` });
  const random = new Random(`${seed}/${schema}`);
  const history = schema % 2 === 0 ? WHOLE_HISTORY : 100;
  const now = Math.min(ROUNDS_PER_SCHEMA, rounds - done);
  const report = await assertSurvivesCrashes(random, {
    place: () => place,
    durability: "full",
    history,
    rounds: now,
    acknowledgements: 600,
    disturb: async () => {
      if (kills !== "yes") return;
      await delay(random.below(300));
      await server.kill();
      await server.start();
    },
  });
  done += now;
  console.log(`${done} rounds; ${JSON.stringify({ history, ...report })}`);
}
