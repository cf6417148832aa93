/**
 * Writes many entries of a kind, new ones several at once.
 *
 * @module
 */
import { putEach } from "./put_each.ts";
import type { Entries, StatusCounts, StoredValue } from "./storage.ts";

/** About how many bytes of values are inserted at once: there is no pause within that. */
const BATCH_BYTES = 1_000_000;

/**
 * Writes each entry, as `put` does. The keys differ, and come in key order.
 * Returns how many writes had which status, and yields wherever it may pause.
 */
export function* putAll(
  storage: Pick<Entries, "put" | "insertAll" | "insertsAtOnce">,
  kind: string,
  entries: Iterable<StoredValue>,
): Generator<void, StatusCounts> {
  const { insertsAtOnce } = storage;
  const put = ({ key, value }: StoredValue) => storage.put(kind, key, value);
  if (insertsAtOnce === 0) return yield* putEach(entries, put);
  const counts = { created: 0, updated: 0, unchanged: 0 };
  for (const batch of batchesOf(entries, insertsAtOnce)) {
    if (batch.length === insertsAtOnce && storage.insertAll(kind, batch)) {
      counts.created += batch.length;
      yield;
    } else {
      yield* putEach(batch, put, counts);
    }
  }
  return counts;
}

/** Batches of `size` entries, or of fewer if they have more than their share of bytes. */
function* batchesOf(
  entries: Iterable<StoredValue>,
  size: number,
): Generator<StoredValue[]> {
  let batch: StoredValue[] = [];
  let bytes = 0;
  for (const entry of entries) {
    batch.push(entry);
    bytes += entry.value.byteLength;
    if (batch.length < size && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}
