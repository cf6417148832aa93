/**
 * Every store that an inspector shows, for its tests.
 *
 * @module
 */
import { openPostgresStore } from "../../../src/postgres/open_postgres_store.ts";
import { freshSchema, testPostgres } from "../postgres/test_postgres.ts";
import { type OpenAny, testOnEachStore } from "../stores.ts";

/** Registers a test on SQLite with each driver, in memory, and in PostgreSQL. */
export function testOnEveryStore(
  name: string,
  fn: (open: OpenAny) => Promise<void>,
): void {
  testOnEachStore(name, fn);
  testPostgres(`${name} [postgres]`, ({ url }) => {
    const open = (options?: object) =>
      openPostgresStore({ url, schema: freshSchema(), ...options });
    return fn(open as OpenAny);
  });
}
