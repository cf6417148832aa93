/**
 * Tests that need what a machine may lack: they are ignored, with the reason
 * in the name, or fail if `ZESTOR_REQUIRE_POSTGRES` is `1`.
 *
 * @module
 */
import type { Missing } from "./find_postgres.ts";

/** A function of a test, which is given what it needs. */
export type TestOn<Needed> = (
  needed: Needed,
  t: Deno.TestContext,
) => void | Promise<void>;

/** How strict the tests are. */
export interface NeedOptions {
  /** If the tests may fail for want of it. @default {`ZESTOR_REQUIRE_POSTGRES` is `1`} */
  readonly isRequired?: boolean;
}

/** Gives a function that registers tests. */
export function testsThatNeed<Needed extends object>(
  what: string,
  found: Needed | Missing,
  { isRequired = Deno.env.get("ZESTOR_REQUIRE_POSTGRES") === "1" }:
    NeedOptions = {},
): (name: string, test: TestOn<Needed>) => void {
  if (!("reason" in found)) {
    return (name, test) => Deno.test(name, (t) => test(found, t));
  }
  const problem = `${what}: ${found.reason}`;
  if (isRequired) {
    return (name) =>
      Deno.test(name, () => {
        throw new Error(`This test needs ${problem}`);
      });
  }
  const [firstLine] = problem.split("\n");
  return (name) =>
    Deno.test({
      name: `${name} (needs ${firstLine})`,
      ignore: true,
      fn: () => {},
    });
}
