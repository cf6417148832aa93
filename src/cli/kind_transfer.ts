/**
 * Copies or moves the entries of a kind to another kind.
 *
 * The invariants:
 * - Each batch is one transaction. A moved entry is in exactly one of the two
 *   kinds at any moment, even if the process or the machine stops.
 * - An entry is moved in its present state: the transaction checks that it has
 *   not changed since it was read.
 * - Memory holds at most a batch, and a page of the store.
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

/** A batch with this many bytes of values takes no more. */
const MOST_BYTES = 1_048_576;

/** The transfer to make. */
export interface KindTransfer {
  readonly action: "copy" | "rename";
  readonly from: string;
  readonly to: string;
  /** Whether the new kind may have entries. Those with the same keys are replaced. */
  readonly merge: boolean;
  /** The codec of the values. */
  readonly codec: Codec;
  readonly signal: AbortSignal;
}

/** Copies or moves all entries, and returns their number. */
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
    // Others may have written meanwhile, and the whole kind must be moved.
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

/** Copies or moves some entries in one transaction. If an entry has changed, it is read again. */
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
        } has been created meanwhile; run it again with --merge to go on and replace it`,
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

/** An entry that has just expired may be written for another moment. */
function msUntil(time: Date): number {
  return Math.max(1, time.getTime() - Date.now());
}
