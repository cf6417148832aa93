/**
 * An event that can be neither printed nor passed to a command. If the watch
 * stopped there, every later watch with the same cursor would stop, too. So the
 * event is reported and skipped.
 *
 * @module
 */
import type { WatchEvent } from "../../contract/watch.ts";
import { quote, reasonOf } from "../../base/messages.ts";

/** The event cannot be printed, or passed to a command. A retry does not help. */
export class SkippedEventError extends Error {
  override readonly name = "SkippedEventError";

  /** Makes the error. `action` is such as "print", and `advice` says what would help. */
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
