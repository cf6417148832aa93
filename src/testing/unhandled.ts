/**
 * Makes an unhandled rejection the failure of the test in which it happens. By
 * default, a runner would end the whole run.
 *
 * @module
 */
import process from "node:process";
import { turn } from "./reading.ts";

/**
 * Runs a test. Throws the first rejection that nobody handles, at once: the test
 * may wait for what the failed work no longer does.
 */
export async function failOnUnhandled(run: () => Promise<void>): Promise<void> {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  let hasFailed = false;
  const note = (reason: unknown) => {
    hasFailed = true;
    reject(reason);
  };
  process.on("unhandledRejection", note);
  try {
    await Promise.race([run(), failed]);
    // The runtime reports unhandled rejections at the end of a turn.
    await Promise.race([turn(), failed]);
  } finally {
    // After a failure the rest of the test still runs, and may fail, too.
    if (!hasFailed) process.off("unhandledRejection", note);
  }
}
