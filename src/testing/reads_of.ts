/**
 * All reads of a store or a snapshot, to compare two of them.
 *
 * @module
 */
import type { OperationOptions, RangeOptions, Reads } from "../contract/mod.ts";
import { textOf } from "./reading.ts";

/** Ranges of every form, for keys that begin with digits or letters. */
const RANGES: readonly RangeOptions[] = [
  {},
  { prefix: "00" },
  { prefix: "a" },
  { start: "000003" },
  { startAfter: "000003" },
  { end: "000007" },
  { start: "000002", end: "b" },
  { reverse: true },
  { reverse: true, start: "000002", limit: 3 },
  { reverse: true, end: "000007", limit: 2 },
  { limit: 0 },
  { limit: 1 },
  { limit: 5 },
  { where: (key) => key.length % 2 === 0 },
  { where: (_, value) => JSON.stringify(value).includes("1"), limit: 4 },
  { where: () => true, reverse: true, limit: 3 },
];

/**
 * The results of all reads of these kinds and keys. Dates are unchanged. All
 * reads are called at once, so that a far store does not take time for each.
 */
export async function everythingOf(
  reads: Reads,
  kinds: readonly string[],
  keys: readonly string[],
): Promise<Record<string, unknown>> {
  const all: Record<string, Promise<unknown>> = {
    kinds: reads.kinds(),
    getAll: reads.getAll(),
    export: textOf(reads.export()),
    "export without times": textOf(reads.export({ times: false })),
  };
  for (const kind of kinds) {
    for (const key of keys) {
      all[`${kind}/${key}`] = Promise.all([
        reads.get(kind, key),
        reads.entry(kind, key),
        reads.has(kind, key),
      ]);
    }
    all[`getMany ${kind}`] = reads.getMany(kind, keys);
    all[`export ${kind}`] = textOf(reads.export({ kinds: [kind] }));
    for (const [i, range] of RANGES.entries()) {
      all[`${kind} in range ${i}`] = Promise.all([
        reads.list(kind, range),
        reads.keys(kind, range),
        reads.values(kind, range),
        reads.count(kind, range),
        Array.fromAsync(reads.entries(kind, range)),
      ]);
    }
  }
  const results = await Promise.all(Object.values(all));
  return Object.fromEntries(
    Object.keys(all).map((name, i) => [name, inOrder(results[i])]),
  );
}

/** Maps as lists of their entries, which have an order. */
export function inOrder(result: unknown): unknown {
  if (Array.isArray(result)) return result.map(inOrder);
  if (!(result instanceof Map)) return result;
  return Array.from(result, ([key, value]) => [key, inOrder(value)]);
}

/** All reads, with a kind and a key if they take them. Streams are read to their end. */
export const readCalls: Readonly<
  Record<
    string,
    (reads: Reads, options?: OperationOptions) => Promise<unknown>
  >
> = {
  get: (reads, options) => reads.get("users", "alice", options),
  entry: (reads, options) => reads.entry("users", "alice", options),
  has: (reads, options) => reads.has("users", "alice", options),
  getMany: (reads, options) => reads.getMany("users", ["alice"], options),
  list: (reads, options) => reads.list("users", options),
  keys: (reads, options) => reads.keys("users", options),
  values: (reads, options) => reads.values("users", options),
  count: (reads, options) => reads.count("users", options),
  "list where": (reads, options) =>
    reads.list("users", { where: () => true, ...options }),
  "count where": (reads, options) =>
    reads.count("users", { where: () => true, ...options }),
  entries: async (reads, options) =>
    await Array.fromAsync(reads.entries("users", options)),
  kinds: (reads, options) => reads.kinds(options),
  getAll: (reads, options) => reads.getAll(options),
  export: async (reads, options) => await textOf(reads.export(options)),
};
