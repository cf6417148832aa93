/**
 * Writes one by one, and counts what became of them.
 *
 * @module
 */
import type { SetStatus } from "../contract/write.ts";
import type { StatusCounts } from "./storage.ts";

/** Writes each item, adds its status to `counts`, and yields wherever it may pause. */
export function* putEach<T>(
  items: Iterable<T>,
  put: (item: T) => { readonly status: SetStatus },
  counts: StatusCounts = { created: 0, updated: 0, unchanged: 0 },
): Generator<void, StatusCounts> {
  for (const item of items) {
    counts[put(item).status]++;
    yield;
  }
  return counts;
}
