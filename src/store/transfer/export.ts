/**
 * Entries as a stream of lines, all at one moment.
 *
 * The invariant: at most one page is in memory.
 *
 * @module
 */
import type { KeyRange } from "../../keys/key_range.ts";
import type { MaybePromise } from "../../base/promises.ts";
import { Slice } from "../../base/slice.ts";
import type { Page } from "../../engine/page.ts";
import type { StoredEntry } from "../../engine/entries.ts";
import type { Snapshot } from "../../engine/view.ts";
import { formatLine, type LineParts, type LineValues } from "./line.ts";

/** The entries to export, and their source. */
export interface ExportPlan extends LineParts {
  readonly values: LineValues;
  /** The kinds. Absent: all kinds. */
  readonly kinds?: ReadonlySet<string>;
  /** The keys, in each kind. */
  readonly keys: KeyRange;
  /** Opens a snapshot of this moment. The caller closes it. */
  openSnapshot(): MaybePromise<Snapshot>;
  /** Throws if the export has been stopped. */
  assertWanted(): void;
  /** The error for the reader. */
  errorOf(error: unknown): unknown;
}

const encoder = new TextEncoder();

/** The entries' lines, by kind and key, several in each chunk. */
export async function* exportChunks(
  plan: ExportPlan,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  plan.assertWanted();
  const snapshot = await plan.openSnapshot();
  const slice = new Slice();
  try {
    for (const kind of await snapshot.kinds()) {
      if (plan.kinds && !plan.kinds.has(kind)) continue;
      let rest: KeyRange | undefined = plan.keys;
      while (rest) {
        plan.assertWanted();
        const page: Page<StoredEntry> = await snapshot.entries(kind, rest);
        if (page.items.length > 0) {
          yield await chunkOf(plan, kind, page.items, slice);
        }
        rest = page.rest;
      }
    }
  } catch (error) {
    throw plan.errorOf(error);
  } finally {
    await snapshot.close();
  }
}

/** The lines of several entries, made in slices. */
async function chunkOf(
  plan: ExportPlan,
  kind: string,
  entries: readonly StoredEntry[],
  slice: Slice,
): Promise<Uint8Array<ArrayBuffer>> {
  const lines: string[] = [];
  for (const entry of entries) {
    lines.push(formatLine(plan.values, kind, entry, plan) + "\n");
    if (slice.isUsedUp) await slice.nextTurn();
  }
  return encoder.encode(lines.join(""));
}
