/**
 * Copies the entries of a kind to another kind, or moves them.
 *
 * The invariants:
 * - Each batch is one transaction. An entry that is moved is in exactly one of
 *   the two kinds at any moment, also if the process or the machine stops.
 * - An entry is moved as it is at that moment: the transaction checks that it
 *   has not changed since it was read.
 * - No more is in memory than a batch, and a page of the store's.
 *
 * @module
 */
import { quote, quoteText } from "../base/messages.ts";
import type { Entry } from "../contract/entry.ts";
import type { Store } from "../contract/store.ts";
import type { Codec } from "../values/codecs/codec.ts";
import { ConflictError, EntriesNotFoundError, UsageError } from "./errors.ts";

/** How many entries a batch has at most. */
const MOST_ENTRIES = 256;

/** A batch of so many bytes of values takes no more. */
const MOST_BYTES = 1_048_576;

/** What is to be copied or moved, and how. */
export interface KindTransfer {
  readonly action: "copy" | "rename";
  readonly from: string;
  readonly to: string;
  /** Whether the other kind may have entries. Those with the same keys are replaced. */
  readonly merge: boolean;
  /** What the values are kept in. */
  readonly codec: Codec;
  readonly signal: AbortSignal;
}

/** Copies or moves every entry, and gives how many there were. */
export async function transferKind(
  store: Store,
  transfer: KindTransfer,
): Promise<number> {
  const { action, from, to, merge, codec, signal } = transfer;
  if (from === to) {
    throw new UsageError(
      `Cannot ${action} ${
        quoteText(from)
      }: the new kind is the same; give another name`,
    );
  }
  const [found, taken] = await Promise.all(
    [from, to].map((kind) => store.count(kind, { limit: 1, signal })),
  );
  if (found === 0) throw new EntriesNotFoundError(action, from);
  if (taken > 0 && !merge) {
    throw new UsageError(
      `Cannot ${action} ${quoteText(from)}: the kind ${
        quoteText(to)
      } has entries; give another name, or --merge to replace those with the same keys`,
    );
  }
  let total = 0;
  for (;;) {
    let count = 0;
    for await (
      const batch of batchesOf(store.entries(from, { signal }), codec)
    ) {
      count += await transferBatch(store, batch, transfer);
    }
    total += count;
    // Others may have written meanwhile: all of the kind is to be moved.
    if (action === "copy" || count === 0) return total;
  }
}

async function* batchesOf(
  entries: AsyncIterable<Entry>,
  { encode }: Codec,
): AsyncGenerator<Entry[]> {
  let batch: Entry[] = [];
  let bytes = 0;
  for await (const entry of entries) {
    batch.push(entry);
    bytes += encode(entry.value).byteLength;
    if (batch.length < MOST_ENTRIES && bytes < MOST_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Copies or moves some entries in one transaction. One that has changed is read again. */
async function transferBatch(
  store: Store,
  entries: readonly Entry[],
  transfer: KindTransfer,
): Promise<number> {
  const { action, from, to, signal } = transfer;
  let batch = [...entries];
  while (batch.length > 0) {
    const result = await operationOf(store, batch, transfer).commit({ signal });
    if (result.ok) return batch.length;
    const { kind, key } = result.conflict;
    if (kind === to) {
      throw new ConflictError(
        `Cannot ${action} ${quoteText(from)}: ${
          quote(to, key)
        } has been made meanwhile; run it again with --merge to go on and replace it`,
      );
    }
    const now = await store.entry(from, key, { signal });
    batch = batch.flatMap((entry) =>
      entry.key !== key ? [entry] : now ? [now] : []
    );
  }
  return 0;
}

function operationOf(
  store: Store,
  entries: readonly Entry[],
  { action, from, to, merge }: KindTransfer,
) {
  const operation = store.atomic();
  for (const { key, value, revision, expiresAt } of entries) {
    if (!merge) operation.check({ kind: to, key, exists: false });
    operation.set(to, key, value, {
      expireIn: expiresAt && msUntil(expiresAt),
    });
    if (action === "copy") continue;
    operation.check({ kind: from, key, revision }).delete(from, key);
  }
  return operation;
}

/** An entry that has just expired may be written for a moment more. */
function msUntil(time: Date): number {
  return Math.max(1, time.getTime() - Date.now());
}
