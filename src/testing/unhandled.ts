/**
 * Makes an unhandled rejection the failure of the test in which it happens. By
 * default, a runner would end the whole run.
 *
 * @module
 */
import process from "node:process";
import { turn } from "./reading.ts";

/** Runs a test, and throws the rejections that nobody handled meanwhile. */
export async function failOnUnhandled(run: () => Promise<void>): Promise<void> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => {
    unhandled.push(reason);
  };
  process.on("unhandledRejection", note);
  try {
    await run();
  } finally {
    // The runtime reports unhandled rejections at the end of a turn.
    await turn();
    process.off("unhandledRejection", note);
  }
  if (unhandled.length > 0) throw unhandled[0];
}
