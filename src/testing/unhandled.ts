/**
 * Makes an unhandled rejection the failure of the test in which it happens. By
 * default, a runner would end the whole run.
 *
 * @module
 */
import process from "node:process";
import { turn } from "./reading.ts";

/**
 * Runs a test. If a promise rejects, and nothing handles that, the test fails at
 * once with the error. Otherwise the test could wait without end for an event
 * that the failed work never causes.
 */
export async function failOnUnhandled(run: () => Promise<void>): Promise<void> {
  const failed = Promise.withResolvers<void>();
  let failure: { readonly reason: unknown } | undefined;
  const note = (reason: unknown) => {
    failure ??= { reason };
    failed.resolve();
  };
  process.on("unhandledRejection", note);
  try {
    await Promise.race([run(), failed.promise]);
  } finally {
    // The runtime reports unhandled rejections at the end of a turn.
    await turn();
    // After such a failure, the rest of the test still runs. It may fail again.
    if (!failure) process.off("unhandledRejection", note);
  }
  if (failure) throw failure.reason;
}
