/**
 * Random operations on a store in PostgreSQL, compared with a model. Many more
 * of them: `tests/soak/model.ts --store=postgres`.
 *
 * @module
 */
import { openPostgresStore } from "../../src/postgres/open_postgres_store.ts";
import { simulate } from "../support/model/simulation.ts";
import {
  freshSchema,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { withSeed } from "../support/random.ts";

const OPERATIONS = 1_500;
/** The second makes watches fall behind. */
const HISTORIES = [100_000, 200];

for (const history of HISTORIES) {
  testPostgres(
    `a store equals the model, with a history of ${history} [postgres]`,
    async ({ url }) => {
      const schema = freshSchema();
      await withSeed(`postgres ${history}`, (random) =>
        simulate(random, {
          open: () =>
            openPostgresStore({ url, schema, history, durability: "normal" }),
          kept: true,
          history,
          operations: OPERATIONS,
          round: 500,
        }));
    },
  );
}
