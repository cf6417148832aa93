/**
 * Entries as a stream of lines, all of them as of one moment.
 *
 * The invariant: no more is in memory than a page, whatever there is to export.
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

/** What to export, and from where. */
export interface ExportPlan extends LineParts {
  readonly values: LineValues;
  /** Which kinds; all without it. */
  readonly kinds?: ReadonlySet<string>;
  /** Which keys of each kind. */
  readonly keys: KeyRange;
  /** Reads everything as of the moment of the call; whoever calls it closes that. */
  openSnapshot(): MaybePromise<Snapshot>;
  /** Throws when there is to be no more. */
  assertWanted(): void;
  /** What the reader is told of an error. */
  errorOf(error: unknown): unknown;
}

const encoder = new TextEncoder();

/** The entries' lines, by kind and key, some in each chunk. */
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

/** The lines of some entries, made in slices. */
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
