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

/** Prints an event, and keeps its place. */
export async function printEvent(
  event: WatchEvent,
  { output, toJson, cursor }: {
    readonly output: Output;
    readonly toJson: ToJson;
    readonly cursor?: CursorFile;
  },
): Promise<void> {
  const { revision } = event;
  const line = eventLine(event, toJson);
  // In the middle of a replay there is no place to go on from.
  if (!cursor || revision === 0) return await writeNow(output, `${line}\n`);
  cursor.prepare(revision);
  await writeNow(output, line);
  cursor.keep();
  await writeNow(output, "\n");
}

async function writeNow(output: Output, text: string): Promise<void> {
  await output.write(text);
  await output.flush();
}
