/**
 * Handles the items of a watch: prints each event, or runs a command for each
 * event or each burst, and saves the place.
 *
 * The invariant: a place is saved only when all events up to it have been
 * printed, or handled by a successful command, or skipped with an error.
 *
 * @module
 */
import { lineOf } from "../errors.ts";
import { openOutput, writeError } from "../output/output.ts";
import { burstsOf } from "./bursts.ts";
import type { CursorFile } from "./cursor_file.ts";
import { type EventCommand, runCommand } from "./event_command.ts";
import { eventLine, type ToJson } from "./event_line.ts";
import { printEvent } from "./event_printer.ts";
import { burstOccasion, eventOccasion } from "./occasions.ts";
import { type Item, keepPlace, placeAfter } from "./place.ts";
import { SkippedEventError } from "./skipped_event.ts";

/** How long a reader may take for the last line when the watch must end, in ms. */
const LAST_LINE_MS = 1_000;

/** A watch, and the file for its place. */
export interface Followed {
  readonly items: ReadableStream<Item>;
  readonly cursor: CursorFile | undefined;
  readonly toJson: ToJson;
  /** Aborts when the watch must end. */
  readonly signal: AbortSignal;
}

/** A watch with a command. */
export interface FollowedByCommand extends Followed {
  readonly command: EventCommand;
  /** Whether to continue if the command fails. */
  readonly keepGoing: boolean;
}

/** Prints each event. */
export async function printEach(followed: Followed): Promise<void> {
  const { items, cursor, toJson, signal } = followed;
  const output = openOutput("never", later(signal, LAST_LINE_MS));
  for await (const item of items) {
    const isKept = item.type !== "bookmark" && await attempt(
      () => printEvent(item, { output, toJson, cursor }),
      followed,
    );
    if (!isKept) keepPlace(cursor, placeAfter(item));
  }
}

/** Runs a command for each event. Its input is the value, or the whole event. */
export async function runForEach(
  followed: FollowedByCommand,
  input: "value" | "record",
): Promise<void> {
  const { items, cursor, toJson, command } = followed;
  for await (const item of items) {
    if (item.type !== "bookmark") {
      const run = () => runCommand(command, eventOccasion(item, input, toJson));
      await attempt(run, followed);
    }
    keepPlace(cursor, placeAfter(item));
  }
}

/**
 * Runs a command for each burst of events. `quiet` is in ms, and `kind` is the
 * only watched kind, if there is one.
 */
export async function runForBursts(
  followed: FollowedByCommand,
  { kind, quiet }: {
    readonly kind: string | undefined;
    readonly quiet: number;
  },
): Promise<void> {
  const { items, cursor, toJson, command } = followed;
  const bursts = burstsOf(items, {
    quiet,
    lineOf(event) {
      try {
        return eventLine(event, toJson);
      } catch (error) {
        tellOrThrow(error, followed);
      }
    },
  });
  for await (const burst of bursts) {
    if (burst.lines.length > 0) {
      const run = () => runCommand(command, burstOccasion(burst, kind));
      await attempt(run, followed);
    }
    keepPlace(cursor, burst.place);
  }
}

type Patience = Pick<Followed, "signal"> & { readonly keepGoing?: boolean };

/**
 * Runs work. If it fails and the watch must continue, reports the error.
 * Returns whether it succeeded.
 */
async function attempt(
  work: () => Promise<void>,
  patience: Patience,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    tellOrThrow(error, patience);
    return false;
  }
}

function tellOrThrow(error: unknown, { keepGoing, signal }: Patience): void {
  const goesOn = keepGoing || error instanceof SkippedEventError;
  if (!goesOn || signal.aborted) throw error;
  writeError(`zestor: ${lineOf(error)}`);
}

/** A signal that aborts some time after another one. */
function later(signal: AbortSignal, ms: number): AbortSignal {
  const controller = new AbortController();
  signal.addEventListener("abort", () => {
    Deno.unrefTimer(setTimeout(() => controller.abort(signal.reason), ms));
  });
  return controller.signal;
}
