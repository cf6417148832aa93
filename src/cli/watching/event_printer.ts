/**
 * Prints events as lines of JSON, each at once.
 *
 * With a cursor file, the end of a line is printed only after its place is
 * saved. So a reader of a whole line never reads it again, and an event that
 * was not written was not saved.
 *
 * @module
 */
import type { WatchEvent } from "../../contract/watch.ts";
import type { Output } from "../output/output.ts";
import type { CursorFile } from "./cursor_file.ts";
import { eventLine, type ToJson } from "./event_line.ts";
import { placeAfter } from "./place.ts";

/** Prints an event, and saves its place. */
export async function printEvent(
  event: WatchEvent,
  { output, toJson, cursor }: {
    readonly output: Output;
    readonly toJson: ToJson;
    readonly cursor?: CursorFile;
  },
): Promise<void> {
  const line = eventLine(event, toJson);
  const place = placeAfter(event);
  if (!cursor || place === undefined) {
    return await writeNow(output, `${line}\n`);
  }
  cursor.prepare(place);
  await writeNow(output, line);
  cursor.keep();
  await writeNow(output, "\n");
}

async function writeNow(output: Output, text: string): Promise<void> {
  await output.write(text);
  await output.flush();
}
