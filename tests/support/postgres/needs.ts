/**
 * Tests that need what a machine may lack: they are ignored, with the reason,
 * or fail if `ZESTOR_REQUIRE_POSTGRES` is `1`.
 *
 * @module
 */
import type { Missing } from "./find_postgres.ts";

/** A function of a test, which is given what it needs. */
export type TestOn<Needed> = (
  needed: Needed,
  t: Deno.TestContext,
) => void | Promise<void>;

/** Gives a function that registers tests. */
export function testsThatNeed<Needed extends object>(
  what: string,
  found: Needed | Missing,
): (name: string, test: TestOn<Needed>) => void {
  if (!("reason" in found)) {
    return (name, test) => Deno.test(name, (t) => test(found, t));
  }
  const problem = `${what}: ${found.reason}`;
  if (Deno.env.get("ZESTOR_REQUIRE_POSTGRES") === "1") {
    return (name) =>
      Deno.test(name, () => {
        throw new Error(`This test needs ${problem}`);
      });
  }
  console.error(`Tests are ignored that need ${problem}`);
  return (name) => Deno.test({ name, ignore: true, fn: () => {} });
}
