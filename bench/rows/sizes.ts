/**
 * The growth of the work with the number of entries.
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
  /** The largest time on the largest file, relative to the smallest. */
  readonly most?: number;
  readonly weight?: number;
  /** The operation of the store. */
  operation(sized: Sized): Contender["operate"];
  /** The operation of raw statements. */
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
      await using resources = new AsyncDisposableStack();
      const contenders: Contender[] = [];
      const add = (name: string, operate: Contender["operate"]) =>
        contenders.push({ name, weight, operate });
      for (const [driver, binding] of bench.bindings) {
        for (const file of await bench.bigFiles(driver)) {
          const { path } = file;
          const store = resources.use(
            await openStore<Kinds>({ path, driver, durability: "normal" }),
          );
          const beside = binding.open(path);
          resources.defer(() => void beside.close());
          const sized = { ...file, store, beside };
          const label = `(${driver}), ${formatSize(file.count)}`;
          add(`store ${label}`, row.operation(sized));
          if (row.rawOperation) add(`raw ${label}`, row.rawOperation(sized));
        }
      }
      const measured = await measure(contenders, bench.plan, row);
      const groups = Object.groupBy(
        measured,
        ({ name }) => name.slice(0, name.indexOf(",")),
      );
      const lines = Object.entries(groups).flatMap(([group, sizes]) =>
        group.startsWith("raw")
          ? linesBySize(sizes!, "raw")
          : linesBySize(sizes!, "store", row.most, groups[limitOf(group)])
      );
      return { name, work, unit, lines };
    },
  };
}

/** The raw statements that are a store's limit. */
function limitOf(store: string): string {
  return store.replace("store", "raw");
}

function linesBySize(
  measurements: readonly Measurement[],
  family: "store" | "raw",
  most?: number,
  limit?: readonly Measurement[],
): Line[] {
  const growthTo = (i: number, all: readonly Measurement[]) =>
    speedOf(all[0], all[i]);
  const goalOf = (i: number) => {
    if (most === undefined || i < measurements.length - 1) return [];
    const { median } = growthTo(i, measurements);
    const raw = limit && `raw: ${digits(growthTo(i, limit).median)}`;
    return [atMost(most, median, digits, " × smallest", raw)];
  };
  return measurements.map((measurement, i): Line => {
    const line = lineOf(measurement, family);
    if (i === 0) return line;
    return {
      ...line,
      ratios: { "time / smallest": growthTo(i, measurements) },
      goals: goalOf(i),
    };
  });
}
