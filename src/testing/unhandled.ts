/**
 * Makes a rejection that nobody handles the failure of the test in which it
 * happens. A runner by itself would end the whole run.
 *
 * @module
 */
import process from "node:process";
import { turn } from "./reading.ts";

/** Runs a test, and throws what was rejected meanwhile without being handled. */
export async function failOnUnhandled(run: () => Promise<void>): Promise<void> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => {
    unhandled.push(reason);
  };
  process.on("unhandledRejection", note);
  try {
    await run();
  } finally {
    // Rejections turn out to be unhandled at the end of a turn.
    await turn();
    process.off("unhandledRejection", note);
  }
  if (unhandled.length > 0) throw unhandled[0];
}
