/**
 * Runs the conformance suite on PostgreSQL, each test in a schema of its own. The
 * longest tests run with `ZESTOR_LONG_TESTS=1`.
 *
 * @module
 */
import { LIMITS } from "../../src/postgres/postgres_engine.ts";
import { testStore } from "../../src/testing/mod.ts";
import { openPostgresStore } from "../../src/postgres/open_postgres_store.ts";
import type { Store } from "../../mod.ts";
import {
  freshSchema,
  testPostgres,
} from "../support/postgres/test_postgres.ts";

/** The database of the test that runs. */
let url: string;

/** How each store was opened. */
const opened = new WeakMap<
  Store,
  { schema: string; [option: string]: unknown }
>();

async function open(
  options: { schema: string; [option: string]: unknown },
): Promise<Store> {
  const store = await openPostgresStore({ url, ...options });
  opened.set(store, options);
  return store;
}

/** Tests of the event loop, which write many entries. The remote test engine runs them, too. */
const isLong = (name: string) =>
  name.startsWith("PostgreSQL: C8 ") ||
  name === "PostgreSQL: the largest value that fits is written";

testStore({
  name: "PostgreSQL",
  open: (options) => open({ ...options, schema: freshSchema() }),
  reopen: async (store) => {
    const options = opened.get(store)!;
    await store.close();
    return await open(options);
  },
  supports: {
    limits: { nameBytes: LIMITS.nameBytes, valueBytes: LIMITS.valueBytes },
  },
  test: Object.assign(
    (name: string, fn: () => Promise<void>) =>
      isLong(name) && !Deno.env.get("ZESTOR_LONG_TESTS")
        ? Deno.test.ignore(name, fn)
        : testPostgres(name, (server) => {
          url = server.url;
          return fn();
        }),
    { ignore: Deno.test.ignore },
  ),
});
