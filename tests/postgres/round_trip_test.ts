/**
 * What is exported from a file, imported into PostgreSQL, exported there and
 * imported into a file again is the same, byte for byte.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { openStore, type Store } from "../../mod.ts";
import { openPostgresStore } from "../../src/postgres/open_postgres_store.ts";
import {
  freshSchema,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { Random } from "../support/random.ts";

const ENTRIES = 5_000;
/** Long enough for every test, in ms. */
const DAY = 24 * 60 * 60 * 1_000;

testPostgres(
  "an export goes to PostgreSQL and back as it was, with versions, times and expiries",
  async ({ url }) => {
    await using source = await openStore({ path: ":memory:" });
    await fill(source, new Random("round trip"));
    const before = await exported(source);

    await using server = await openPostgresStore({
      url,
      schema: freshSchema(),
    });
    assertEquals((await server.import(lines(before))).created, ENTRIES);
    const there = await exported(server);
    assertEquals(there === before, true, "PostgreSQL exports the same");

    await using target = await openStore({ path: ":memory:" });
    assertEquals((await target.import(lines(there))).created, ENTRIES);
    const after = await exported(target);
    assertEquals(after === before, true, "the file exports the same");
    assertEquals(await server.verify(), []);
    assertEquals(await target.verify(), []);
  },
);

/** Writes entries of many sizes; some again, so that their versions differ, and some that expire. */
async function fill(store: Store, random: Random): Promise<void> {
  const numbers = Array.from({ length: ENTRIES }, (_, i) => i);
  const entries = numbers.map((n) => [keyOf(n), valueOf(n, random)] as const);
  await store.setAll("all", entries.slice(0, ENTRIES / 2));
  await store.setAll("é kind/\u{1f600}", entries.slice(ENTRIES / 2));
  for (const [n, [key]] of entries.slice(0, ENTRIES / 2).entries()) {
    if (n % 10 === 0) await store.set("all", key, { again: n });
    if (n % 25 === 0) {
      const expireIn = random.between(DAY, 10 * DAY);
      await store.set("all", key, { lasts: n }, { expireIn });
    }
  }
}

function keyOf(n: number): string {
  return `${["a", "Z", "é", "\u{1f600}", "\uffff", "'\"\\", "\n"][n % 7]}/${n}`;
}

function valueOf(n: number, random: Random): unknown {
  const size = random.chance(0.005) ? 20_000 : random.below(90);
  const text = random.pick(["é", "\n", "\u2028", "\u0000", "\\x"]).repeat(size);
  return { n, text };
}

async function exported(store: Store): Promise<string> {
  return await new Response(store.export()).text();
}

function lines(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream();
}
