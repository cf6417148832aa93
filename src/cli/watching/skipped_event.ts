/**
 * An event that cannot be given to anybody, whatever is tried. To stop at it
 * would stop every later watch with the same cursor, so it is told and skipped.
 *
 * @module
 */
import type { WatchEvent } from "../../contract/watch.ts";
import { quote, reasonOf } from "../../base/messages.ts";

/** The event cannot be printed, or passed to a command. To try again does not help. */
export class SkippedEventError extends Error {
  override readonly name = "SkippedEventError";

  /** Makes the error; `action` is as in "print", `advice` is what would help. */
  constructor(
    action: string,
    event: WatchEvent,
    { cause, advice }: { readonly cause: unknown; readonly advice: string },
  ) {
    super(
      `Cannot ${action} ${describeEvent(event)}: ${
        reasonOf(cause)
      }; the event is skipped; ${advice}`,
      { cause },
    );
  }
}

/** An event, for messages. */
export function describeEvent(
  { type, kind, key, revision }: WatchEvent,
): string {
  return `${type} ${quote(kind, key)} at revision ${revision}`;
}
