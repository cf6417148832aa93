/**
 * Says which PostgreSQL and pgbouncer the tests will use, and downloads them if
 * they have to be. Fails if the tests have no PostgreSQL.
 *
 * @module
 */
import { findPgbouncer } from "./find_pgbouncer.ts";
import { findPostgres } from "./find_postgres.ts";

const postgres = await findPostgres();
console.log(
  "PostgreSQL:",
  "reason" in postgres
    ? `none, ${postgres.reason}`
    : "url" in postgres
    ? "the server at POSTGRES_URL"
    : `${postgres.version} in ${postgres.bin}`,
);
const pgbouncer = await findPgbouncer();
console.log(
  "pgbouncer:",
  "reason" in pgbouncer ? `none, ${pgbouncer.reason}` : pgbouncer.program,
);
if ("reason" in postgres) Deno.exit(1);
