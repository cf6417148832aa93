/**
 * Entries as a stream of lines, all of them as of one moment.
 *
 * The invariant: no more is in memory than a page, whatever there is to export.
 *
 * @module
 */
import type { MaybePromise } from "../promises.ts";
import { Slice } from "../slice.ts";
import type { Snapshot, StoredEntry } from "../storage/storage.ts";
import { formatLine, type LineCodec, type LineParts } from "./line.ts";

/** How many entries are read at once, at most. */
const MOST_ENTRIES = 256;

/** How many, where nothing is known of how large they are. */
const FIRST_ENTRIES = 16;

/** About how many bytes of values are read at once. */
const PAGE_BYTES = 256 * 1024;

/** What to export, and from where. */
export interface ExportPlan extends LineParts {
  readonly codec: LineCodec;
  /** Which kinds; all without it. */
  readonly kinds?: ReadonlySet<string>;
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
    for (const [kind, page] of pagesOf(snapshot, plan)) {
      const lines = page.map((entry) =>
        formatLine(plan.codec, kind, entry, plan) + "\n"
      );
      yield encoder.encode(lines.join(""));
      if (slice.isUsedUp) await slice.nextTurn();
    }
  } catch (error) {
    throw plan.errorOf(error);
  } finally {
    snapshot.close();
  }
}

function* pagesOf(
  snapshot: Snapshot,
  { kinds, assertWanted }: ExportPlan,
): Generator<[kind: string, page: StoredEntry[]], void> {
  let limit = FIRST_ENTRIES;
  for (const kind of snapshot.listKinds()) {
    if (kinds && !kinds.has(kind)) continue;
    for (let after: string | undefined = ""; after !== undefined;) {
      assertWanted();
      const page = snapshot.listEntries(kind, after, limit);
      if (page.length > 0) yield [kind, page];
      after = page.length === limit ? page[limit - 1].key : undefined;
      limit = limitAfter(page, limit);
    }
  }
}

/** How many entries the next page has, to be about as large as it should. */
function limitAfter(page: readonly StoredEntry[], limit: number): number {
  const bytes = page.reduce((sum, { value }) => sum + value.byteLength, 1);
  const fitting = Math.floor(page.length * PAGE_BYTES / bytes);
  return Math.max(1, Math.min(fitting || 1, limit * 2, MOST_ENTRIES));
}
