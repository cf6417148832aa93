/**
 * An event or its value as a line of JSON, as a watch prints it and a command
 * reads it.
 *
 * @module
 */
import type { WatchEvent } from "../../contract/watch.ts";
import { UsageError } from "../errors.ts";
import { escapeJson } from "../../base/escape.ts";
import { eventRecord } from "../output/events.ts";
import { SkippedEventError } from "./skipped_event.ts";

/** Converts a value to JSON. Throws if JSON cannot express it. */
export type ToJson = (value: unknown) => string;

/** The whole event, without the end of the line. */
export function eventLine(event: WatchEvent, toJson: ToJson): string {
  return escapeJson(jsonText(eventRecord(event), event, toJson));
}

/** The value of an event, without the end of the line. */
export function valueLine(event: WatchEvent, toJson: ToJson): string {
  return jsonText(event.value, event, toJson);
}

function jsonText(value: unknown, event: WatchEvent, toJson: ToJson): string {
  try {
    return toJson(value);
  } catch (error) {
    // Its advice applies to other commands.
    const cause = error instanceof UsageError ? error.cause : error;
    const advice = `read the entry with "zestor get --format yaml"`;
    throw new SkippedEventError("print", event, { cause, advice });
  }
}
