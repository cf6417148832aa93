/**
 * Processes that write one schema at once, by stores and by plain SQL, and
 * processes that watch it, on the oldest version that is tested and the newest.
 * Many more calls: `tests/soak/postgres_crowd.ts`.
 *
 * @module
 */
import { assertGreater } from "@std/assert";
import { findPgbouncer } from "../support/postgres/find_pgbouncer.ts";
import { findVersion } from "../support/postgres/find_postgres.ts";
import { assertCrowdKeepsContract } from "../support/postgres/crowd.ts";
import { testsThatNeed } from "../support/postgres/needs.ts";
import { NEWEST } from "../support/postgres/npm_binaries.ts";
import { startPgbouncer } from "../support/postgres/pgbouncer.ts";
import { startServer } from "../support/postgres/server.ts";

/** The calls of each process. */
const CALLS = 400;

const pgbouncer = await findPgbouncer();

for (const version of [15, NEWEST]) {
  const found = await findVersion(version);
  const test = testsThatNeed(`PostgreSQL ${version}`, found);

  test(
    `W7 watchers see each change of 3 processes and plain SQL once, on PostgreSQL ${version}`,
    async (binaries) => {
      await using server = await startServer({ binaries });
      const { url } = server;
      await using stack = new AsyncDisposableStack();
      const pooler = "reason" in pgbouncer
        ? undefined
        : stack.use(await startPgbouncer(pgbouncer, url));
      const report = await assertCrowdKeepsContract({
        url,
        // Without a pooler, a port at which nobody notifies.
        unheard: pooler
          ? { url: pooler.url }
          : { listenUrl: "postgres://zestor@127.0.0.1:1/postgres" },
        schema: "zestor",
        calls: CALLS,
      });
      for (const count of Object.values(report)) assertGreater(count, 50);
    },
  );
}
