/**
 * Plans how to write the changes of a source into a target. A run is the
 * changes that one transaction writes.
 *
 * An atomic operation writes most changes, on the condition that the entries
 * are as in the source. An import writes the entries that an atomic operation
 * cannot write exactly: those that expire at a certain ms, and new ones with
 * another version than 1.
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

/** An import with more characters than this is full. One transaction takes twice as many. */
const MOST_TEXT = 500_000;

/** Versions of entries in the target, by the result of {@linkcode nameOf}; 0 for a missing entry. */
export type Versions = ReadonlyMap<string, number>;

/** Consecutive changes that one transaction writes. */
export interface Run {
  /** The number of changes. Some need no write. */
  readonly count: number;
  /** Either all are lines, or none. */
  readonly writes: readonly RunWrite[];
  /** The conditions on the entries. */
  readonly checks: readonly AtomicCheck[];
  /** The known versions of the entries afterwards. */
  readonly versions: Versions;
}

/** A unique text for an entry's name. */
export function nameOf(
  { kind, key }: { readonly kind: string; readonly key: string },
): string {
  return JSON.stringify([kind, key]);
}

/** The input of a plan. */
export interface RunPlan {
  readonly events: readonly WatchEvent[];
  /** The known versions of entries in the target. All others must be as in the source. */
  readonly known: Versions;
  /** In ms since 1970: entries that have expired by then are not written. */
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
    // A line may expire before it is written, and later changes depend on it.
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
 * The version before a change. `undefined` if it does not matter, because the
 * target also deletes expired entries, maybe earlier.
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

/** How to write a change; `undefined` if the target is so already. */
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
