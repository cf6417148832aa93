/// <reference lib="dom" />
/**
 * The kinds and their counts, which follow the live changes.
 *
 * @module
 */
import type { KindCount, KindsAnswer, LiveChange } from "../../api.ts";
import { Cell } from "./cell.ts";
import { errorOf, read } from "./client.ts";
import { compareKeys } from "./keys_order.ts";
import { epoch, hold, onChanges } from "./live.ts";
import { route } from "./route.ts";

/** The kinds that are shown. */
export interface Kinds {
  /** Absent until they are read. */
  readonly list?: readonly KindCount[];
  /** Why they could not be read. */
  readonly message?: string;
}

/**
 * How often the counts are read again, in ms, because an expiry changes them
 * before its event comes.
 */
const REFRESH = 30_000;

/** The kinds now, or as of the revision of the route. */
export const kinds: Cell<Kinds> = new Cell<Kinds>({});

let revision = Infinity;
let wanted: number | undefined;
let reading: AbortController | undefined;

/** Reads the kinds, and follows the changes from then on. */
export function followKinds(): void {
  wanted = route.value.at;
  route.subscribe(({ at }) => {
    if (at === wanted) return;
    wanted = at;
    load();
  });
  epoch.subscribe(load);
  onChanges((changes) => {
    if (wanted === undefined) apply(changes);
  });
  setInterval(() => {
    if (wanted === undefined && !document.hidden) load();
  }, REFRESH);
  load();
}

async function load(): Promise<void> {
  reading?.abort();
  const { signal } = reading = new AbortController();
  const at = wanted;
  const held = hold();
  try {
    const answer = await read<KindsAnswer>("api/kinds", { at }, signal);
    revision = answer.revision;
    kinds.value = { list: answer.kinds };
    if (at === undefined) apply(held.changes);
  } catch (error) {
    if (signal.aborted) return;
    kinds.value = { ...kinds.value, message: errorOf(error).message };
  } finally {
    held.release();
  }
}

/** Counts the changes that are not in the last answer. */
function apply(changes: readonly LiveChange[]): void {
  const differences = new Map<string, number>();
  for (const change of changes) {
    if (change.revision <= revision) continue;
    const difference = change.type === "create"
      ? 1
      : change.type === "delete"
      ? -1
      : 0;
    differences.set(
      change.kind,
      (differences.get(change.kind) ?? 0) + difference,
    );
  }
  const { list } = kinds.value;
  if (list === undefined || differences.size === 0) return;
  kinds.value = { list: withDifferences(list, differences) };
}

function withDifferences(
  list: readonly KindCount[],
  differences: Map<string, number>,
): KindCount[] {
  const counted = list.map((one) => {
    const count = one.count + (differences.get(one.kind) ?? 0);
    differences.delete(one.kind);
    return count === one.count ? one : { ...one, count: Math.max(0, count) };
  });
  const added = [...differences].filter(([, count]) => count > 0)
    .map(([kind, count]) => ({ kind, count, codec: "" }));
  if (added.length === 0) return counted;
  return [...counted, ...added].sort((a, b) => compareKeys(a.kind, b.kind));
}
