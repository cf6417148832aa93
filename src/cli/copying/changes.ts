/**
 * What the changes of a source make of a target: runs, each of which is one
 * transaction.
 *
 * An atomic operation writes most changes, if the entries are as they were in
 * the source. An import writes the entries that an atomic operation cannot make
 * as they are in the source: those that expire, to the millisecond, and new ones
 * whose version is not 1.
 *
 * @module
 */
import type { AtomicCheck } from "../../contract/atomic.ts";
import type {
  CreateEvent,
  UpdateEvent,
  WatchEvent,
} from "../../contract/watch.ts";

/** A change that puts an entry. */
export type PutEvent = CreateEvent | UpdateEvent;

/** One write of a run. */
export type RunWrite =
  | { readonly by: "set"; readonly event: PutEvent }
  | { readonly by: "delete"; readonly event: WatchEvent }
  | {
    readonly by: "line";
    readonly event: PutEvent;
    /** The entry, for an import. */
    readonly line: string;
  };

/** Once lines have more characters than these, an import is full. It takes twice as many into one transaction. */
const MOST_TEXT = 500_000;

/** Versions of entries of the target, by what {@linkcode nameOf} gives; 0 for no entry. */
export type Versions = ReadonlyMap<string, number>;

/** Changes that follow each other, which one transaction writes. */
export interface Run {
  /** How many changes. Some need no write. */
  readonly count: number;
  /** All by lines, or none. */
  readonly writes: readonly RunWrite[];
  /** What the entries must be before. */
  readonly checks: readonly AtomicCheck[];
  /** What is known of the entries after it. */
  readonly versions: Versions;
}

/** A text that stands for an entry's name. */
export function nameOf(
  { kind, key }: { readonly kind: string; readonly key: string },
): string {
  return JSON.stringify([kind, key]);
}

/** What a run is made of. */
export interface RunPlan {
  readonly events: readonly WatchEvent[];
  /** What is known of entries of the target. Others must be as they were in the source. */
  readonly known: Versions;
  /** In ms since 1970: what has expired by then is put nowhere. */
  readonly now: number;
  /** Makes the line of an entry. */
  lineOf(event: PutEvent): string;
}

/** The first changes that one transaction can write. */
export function planRun({ events, known, now, lineOf }: RunPlan): Run {
  const versions = new Map(known);
  const touched = new Set<string>();
  const checks: AtomicCheck[] = [];
  const writes: RunWrite[] = [];
  let count = 0;
  let text = 0;
  for (const event of events) {
    const name = nameOf(event);
    const before = versions.get(name) ?? versionBefore(event);
    const by = wayOf(event, before, now);
    const isOther = writes.length > 0 && by !== undefined &&
      (by === "line") !== (writes[0].by === "line");
    // A line may expire before it is written, and what follows it builds on it.
    const isSecond = by === "line" && touched.has(name);
    if (isOther || isSecond || text > MOST_TEXT) break;
    count++;
    const { kind, key, version } = event;
    if (!touched.has(name) && before !== undefined) {
      checks.push({ kind, key, version: before });
    }
    touched.add(name);
    versions.set(name, by === "set" || by === "line" ? version : 0);
    if (by === "delete") writes.push({ by, event });
    else if (by === "set") writes.push({ by, event: event as PutEvent });
    else if (by === "line") {
      const line = lineOf(event as PutEvent);
      text += line.length;
      writes.push({ by, event: event as PutEvent, line });
    }
  }
  return { count, writes, checks, versions };
}

/**
 * The version before a change. `undefined` if it does not matter: the target
 * deletes what expires, too, maybe before it is told.
 */
function versionBefore(event: WatchEvent): number | undefined {
  switch (event.type) {
    case "create":
      return 0;
    case "update":
      return event.version - 1;
    case "delete":
      return event.expired ? undefined : event.version;
  }
}

/** How a change is written; `undefined` if the target is so already. */
function wayOf(
  event: WatchEvent,
  before: number | undefined,
  now: number,
): RunWrite["by"] | undefined {
  const hasEnded = event.type === "delete" ||
    event.expiresAt !== undefined && event.expiresAt.getTime() <= now;
  if (hasEnded) return before === 0 ? undefined : "delete";
  const isMadeAnew = before === 0 && event.version !== 1;
  return event.expiresAt || isMadeAnew ? "line" : "set";
}
