/// <reference lib="dom" />
/**
 * The reach of the change log, which is the range of the time slider.
 *
 * @module
 */
import type { LogAnswer, Moment } from "../../api.ts";
import { Cell } from "./cell.ts";
import { errorOf, read } from "./client.ts";
import { epoch, newest } from "./live.ts";

const MOMENTS = 50;

/** The log, and why it could not be read. */
export interface Reach {
  readonly log?: LogAnswer;
  readonly message?: string;
}

/** The log as it was when it was last read. */
export const reach: Cell<Reach> = new Cell<Reach>({});

/** Reads the reach of the log. */
export async function readReach(): Promise<void> {
  try {
    const log = await read<LogAnswer>("api/log", { moments: MOMENTS });
    reach.value = { log };
  } catch (error) {
    reach.value = { ...reach.value, message: errorOf(error).message };
  }
}

/** Reads it now, whenever the connection is back, and at the first change. */
export function followReach(): void {
  epoch.subscribe(readReach);
  newest.subscribe(() => {
    if (reach.value.log?.newest === undefined) readReach();
  });
  readReach();
}

/** The last moment of the log that is not after a revision. */
export function momentAt(log: LogAnswer, revision: number): Moment | undefined {
  const { moments } = log;
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moments[middle].revision <= revision) low = middle + 1;
    else high = middle;
  }
  return moments[low - 1];
}
