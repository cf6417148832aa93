/**
 * The writes of the traced programs: the model's, and now and then one that is
 * larger than SQLite's cache, which then writes to the file before it commits.
 *
 * @module
 */
import { Model } from "../model/model.ts";
import type { Value, WriteOperation } from "../model/operations.ts";
import { randomWrite } from "../model/random_operations.ts";
import { Random } from "../random.ts";
import type { RawEntry } from "../raw_file.ts";
import type { Change } from "../watches/watch_validators.ts";

/** Every so many writes one is large. */
const LARGE = 16;

/** Makes the n-th write. */
export function writeOf(random: Random, n: number): WriteOperation {
  if (n % LARGE !== LARGE - 1) return randomWrite(random, n);
  const entries = Array.from({ length: 200 }, (_, i) => {
    const padding = "x".repeat(random.below(300));
    return [`large/${i}`, { n: i, by: n, padding }] as [string, Value];
  });
  return { do: "setAll", kind: "users", entries };
}

/** What a store holds after some writes. */
export interface Moment {
  readonly revision: number;
  /** In no order. */
  readonly rows: readonly RawEntry[];
}

/** What a store must hold after each of the writes of a seed. */
export class Story {
  /** After no write, one, and so on. */
  readonly moments: readonly Moment[];
  /** Every change, by revision. */
  readonly changes: readonly Change[];

  /** Takes how many writes there are, and the revision and rows before them. */
  constructor(
    seed: string,
    writes: number,
    { revision, rows }: Moment = { revision: 0, rows: [] },
  ) {
    const model = new Model(revision);
    const random = new Random(seed);
    const moments = [{ revision, rows }];
    for (let n = 0; n < writes; n++) {
      model.apply(writeOf(random, n));
      moments.push({
        revision: model.revision,
        rows: [...rows, ...model.rows()],
      });
    }
    this.moments = moments;
    this.changes = model.changes;
  }
}

/** Entries as lines to compare, in whatever order they come. */
export function linesOf(rows: readonly RawEntry[]): string[] {
  return rows.map(({ kind, key, version, value }) =>
    `${kind}/${key}, version ${version}: ${value}`
  ).sort();
}
