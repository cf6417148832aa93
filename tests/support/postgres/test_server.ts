/**
 * Tests that start servers of their own.
 *
 * @module
 */
import { type Binaries, findBinaries } from "./find_postgres.ts";
import { testsThatNeed } from "./needs.ts";

/** Registers a test that starts servers; ignored if no PostgreSQL can be had. */
export const testServer = testsThatNeed<Binaries>(
  "the programs of PostgreSQL",
  await findBinaries(),
);
