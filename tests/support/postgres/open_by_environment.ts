/**
 * A program that opens the store that its environment tells, and prints what
 * becomes of it, with all that an error shows.
 *
 * @module
 */
import { openPostgresStore } from "../../../src/postgres/open_postgres_store.ts";

try {
  await (await openPostgresStore()).close();
  console.log("opened");
} catch (error) {
  console.log(Deno.inspect(error, { depth: 20, showHidden: true }));
}
