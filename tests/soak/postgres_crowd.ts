/**
 * Processes that write one schema at once, by stores and by plain SQL, and
 * processes that watch it, with very many calls.
 *
 * `deno task soak tests/soak/postgres_crowd.ts --calls=20000 --version=15`
 *
 * @module
 */
import { assertCrowdKeepsContract } from "../support/postgres/crowd.ts";
import { findVersion } from "../support/postgres/find_postgres.ts";
import { startServer } from "../support/postgres/server.ts";
import { readFlags } from "./flags.ts";

const { calls, version } = readFlags({
  /** The calls of each process. */
  calls: 20_000,
  /** The major version of PostgreSQL. */
  version: 15,
});

const binaries = await findVersion(version);
if ("reason" in binaries) throw new Error(binaries.reason);
await using server = await startServer({ binaries });
const report = await assertCrowdKeepsContract({
  url: server.url,
  // A port at which nobody notifies.
  unheard: { listenUrl: "postgres://zestor@127.0.0.1:1/postgres" },
  schema: "zestor",
  calls,
});
console.log(report);
