/**
 * How the work grows with what is stored.
 *
 * @module
 */
import { openStore, type Store } from "../../mod.ts";
import {
  type Contender,
  type Grouping,
  measure,
  type Measurement,
  speedOf,
} from "../measure.ts";
import { atMost, digits, type Line, lineOf } from "../results.ts";
import type { Connection } from "../subjects/binding.ts";
import { KIND } from "../subjects/store.ts";
import { keyOf, SMALL, STRIDE, type Value } from "../values.ts";
import { type BigFile, formatSize, SMALL_KIND } from "./big_file.ts";
import type { Row } from "./row.ts";

type Kinds = { [KIND]: Value; [SMALL_KIND]: Value };

/** A file of some size, open as a store and by a connection beside it. */
interface Sized extends BigFile {
  readonly store: Store<Kinds>;
  readonly beside: Connection;
}

interface SizeRow extends Grouping {
  readonly name: string;
  readonly work: string;
  readonly unit: string;
  /** How many times as long it may take on the largest file as on the smallest. */
  readonly most?: number;
  readonly weight?: number;
  /** What the store does. */
  operation(sized: Sized): Contender["operate"];
  /** What raw statements do. */
  rawOperation?(sized: Sized): Contender["operate"];
}

/** How many changes a watch catches up on. */
const BEHIND = 1_000;

const keyFar = (n: number, count: number) => keyOf(n * STRIDE % count);

/** The rows. */
export const sizeRows: readonly Row[] = [
  sizeRow({
    name: "size, get",
    work: "one of many values by its key, far from the one before",
    unit: "get",
    most: 1.5,
    operation: ({ count, store }) => (n) => store.get(KIND, keyFar(n, count)),
    rawOperation({ count, beside }) {
      const get = beside.prepare(
        "SELECT value FROM zestor_kv WHERE kind = ? AND key = ?",
      );
      const decoder = new TextDecoder();
      return (n) =>
        JSON.parse(decoder.decode(get.get(KIND, keyFar(n, count)).value));
    },
  }),
  sizeRow({
    name: "size, set",
    work:
      'one caller replaces one of many values, far from the one before, at `durability: "normal"`',
    unit: "set",
    operation: ({ count, store }) => (n) =>
      store.set(KIND, keyFar(n, count), SMALL.of(n + 1)),
  }),
  sizeRow({
    name: "size, list",
    work: "all 100 values of a small kind, beside a kind of many",
    unit: "list",
    operation: ({ store }) => () => store.list(SMALL_KIND),
  }),
  sizeRow({
    name: "size, catch-up",
    work:
      `the last ${BEHIND} changes of a kind of many, by a watch that resumes`,
    unit: "event",
    weight: BEHIND,
    operation: ({ store, beside }) => {
      const { newest } = beside.prepare(
        "SELECT max(revision) AS newest FROM zestor_changes",
      ).get();
      return () => catchUp(store, newest - BEHIND);
    },
  }),
];

async function catchUp(store: Store<Kinds>, after: number): Promise<void> {
  let left = BEHIND;
  for await (const _ of store.watch(KIND, { after })) {
    if (--left === 0) return;
  }
}

function sizeRow(row: SizeRow): Row {
  const { name, work, unit, weight } = row;
  return {
    name,
    async measure(bench) {
      const files = await bench.bigFiles();
      const lines: Line[] = [];
      for (const [driver, binding] of bench.bindings) {
        await using resources = new AsyncDisposableStack();
        const stores: Contender[] = [];
        const raws: Contender[] = [];
        for (const file of files) {
          const store = resources.use(
            await openStore<Kinds>({
              path: file.path,
              driver,
              durability: "normal",
            }),
          );
          const beside = binding.open(file.path);
          resources.defer(() => void beside.close());
          const sized = { ...file, store, beside };
          const size = formatSize(file.count);
          stores.push({
            name: `store (${driver}), ${size}`,
            weight,
            operate: row.operation(sized),
          });
          if (!row.rawOperation) continue;
          raws.push({
            name: `raw (${driver}), ${size}`,
            weight,
            operate: row.rawOperation(sized),
          });
        }
        const all = await measure([...stores, ...raws], bench.plan, row);
        const measured = all.slice(0, stores.length);
        const rawMeasured = all.slice(stores.length);
        lines.push(...linesBySize(measured, "store", row.most));
        if (raws.length > 0) lines.push(...linesBySize(rawMeasured, "raw"));
      }
      return { name, work, unit, lines };
    },
  };
}

function linesBySize(
  measurements: readonly Measurement[],
  family: "store" | "raw",
  most?: number,
): Line[] {
  const [smallest] = measurements;
  return measurements.map((measurement, i): Line => {
    const line = lineOf(measurement, family);
    if (i === 0) return line;
    const growth = speedOf(smallest, measurement);
    const isLargest = i === measurements.length - 1;
    return {
      ...line,
      ratios: { "time / smallest": growth },
      goals: most !== undefined && isLargest
        ? [atMost(most, growth.median, digits, " × smallest")]
        : [],
    };
  });
}
