/**
 * Times are kept to the millisecond, whichever way they come back.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { openPostgresStore } from "../../src/postgres/open_postgres_store.ts";
import { Random } from "../support/random.ts";
import {
  freshSchema,
  testPostgres,
} from "../support/postgres/test_postgres.ts";

testPostgres("a time comes back as it was written", async ({ url }) => {
  await using store = await openPostgresStore({ url, schema: freshSchema() });
  const random = new Random("times");
  const times = Array.from(
    { length: 300 },
    () => new Date(1_500_000_000_000 + random.below(500_000_000_000)),
  );
  const lines = times.map((time, i) =>
    JSON.stringify({
      kind: "k",
      key: `${i}`,
      value: i,
      version: 1,
      updatedAt: time.toISOString(),
    }) + "\n"
  );
  await store.import(new Blob(lines).stream());
  for (const [i, time] of times.entries()) {
    assertEquals((await store.entry("k", `${i}`))?.updatedAt, time);
    assertEquals((await store.delete("k", `${i}`))?.updatedAt, time);
  }
});
