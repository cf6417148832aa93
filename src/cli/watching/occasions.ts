/**
 * The input of a watch's command: for one event, or for a burst of events.
 *
 * @module
 */
import type { WatchEvent } from "../../contract/watch.ts";
import { quoteText } from "../../base/messages.ts";
import type { Burst } from "./bursts.ts";
import type { Occasion } from "./event_command.ts";
import { eventLine, type ToJson, valueLine } from "./event_line.ts";
import { describeEvent, SkippedEventError } from "./skipped_event.ts";

/**
 * One event: its names are in the environment, and its value is on standard
 * input. As a `"record"`, the whole event is on standard input. Throws
 * `SkippedEventError` if JSON cannot express it.
 */
export function eventOccasion(
  event: WatchEvent,
  as: "value" | "record",
  toJson: ToJson,
): Occasion {
  const { type, kind, key, version, revision } = event;
  const line = as === "record"
    ? eventLine(event, toJson)
    : valueLine(event, toJson);
  return {
    about: describeEvent(event),
    variables: {
      ZESTOR_TYPE: type,
      ZESTOR_VERSION: `${version}`,
      ZESTOR_REVISION: `${revision}`,
    },
    names: { ZESTOR_KIND: kind, ZESTOR_KEY: key },
    input: `${line}\n`,
    // The record has the names.
    tooLong: as === "record" ? undefined : (cause) => {
      const advice =
        "its kind and key are too long for the environment; with --record, the command reads them from standard input";
      return new SkippedEventError("run the command for", event, {
        cause,
        advice,
      });
    },
  };
}

/**
 * A burst: its events are lines on standard input, as a watch prints them. The
 * kind is given if only one kind is watched.
 */
export function burstOccasion(
  { lines, revision }: Burst,
  kind: string | undefined,
): Occasion {
  const count = lines.length;
  const events = count === 1 ? "event" : "events";
  const ofKind = kind === undefined ? "" : ` of ${quoteText(kind)}`;
  return {
    about: `${count} ${events}${ofKind} up to revision ${revision}`,
    variables: {
      ZESTOR_EVENTS: `${count}`,
      ZESTOR_REVISION: `${revision}`,
      // They belong to a single event, and another watch may have set them.
      ZESTOR_TYPE: "",
      ZESTOR_KEY: "",
      ZESTOR_VERSION: "",
    },
    names: { ZESTOR_KIND: kind ?? "" },
    input: lines.map((line) => `${line}\n`).join(""),
  };
}
