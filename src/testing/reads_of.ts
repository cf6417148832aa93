/**
 * Every read of a store or a snapshot, to compare what two of them give.
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

/** What every read gives, of these kinds and keys. Dates are as they are. */
export async function everythingOf(
  reads: Reads,
  kinds: readonly string[],
  keys: readonly string[],
): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {
    kinds: await reads.kinds(),
    getAll: await reads.getAll(),
    export: await textOf(reads.export()),
    "export without times": await textOf(reads.export({ times: false })),
  };
  for (const kind of kinds) {
    for (const key of keys) {
      all[`${kind}/${key}`] = [
        await reads.get(kind, key),
        await reads.entry(kind, key),
        await reads.has(kind, key),
      ];
    }
    all[`getMany ${kind}`] = [...await reads.getMany(kind, keys)];
    all[`export ${kind}`] = await textOf(reads.export({ kinds: [kind] }));
    for (const [i, range] of RANGES.entries()) {
      all[`${kind} in range ${i}`] = [
        [...await reads.list(kind, range)],
        await reads.keys(kind, range),
        await reads.values(kind, range),
        await reads.count(kind, range),
        await Array.fromAsync(reads.entries(kind, range)),
      ];
    }
  }
  return all;
}

/** Each read, of a kind and a key where it takes them. Streams are read to their end. */
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
