/**
 * Prints events as lines of JSON, each written at once.
 *
 * With a cursor, a line is ended only when its place is kept: who has read
 * a whole line never reads it again, and what was not written was not kept.
 *
 * @module
 */
import type { WatchEvent } from "../../contract/watch.ts";
import type { Output } from "../output/output.ts";
import type { CursorFile } from "./cursor_file.ts";
import { eventLine, type ToJson } from "./event_line.ts";
import { placeAfter } from "./place.ts";

/** Prints an event, and keeps its place. */
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
