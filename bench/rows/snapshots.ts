/**
 * Reads of a snapshot, compared with reads of the store itself.
 *
 * @module
 */
import { deepStrictEqual } from "node:assert";
import { openStore, type Reads } from "../../mod.ts";
import { type Contender, measure } from "../measure.ts";
import { formatCount } from "../results.ts";
import { KIND, type Kinds } from "../subjects/store.ts";
import { entriesOf, keyOf, SMALL } from "../values.ts";
import { groupedLines } from "./pairs.ts";
import type { Row } from "./row.ts";

/** The rows; `scale` makes them smaller. */
export function snapshotRows(scale: number): Row[] {
  const count = 1_000 * scale;
  return [
    snapshotRow({
      name: "snapshot, get",
      work: `one of ${formatCount(count)} values of 90 B by its key`,
      unit: "get",
      count,
      operation: (reads) => (n) => reads.get(KIND, keyOf(n * 7 % count)),
    }),
    snapshotRow({
      name: "snapshot, list",
      work: `all ${formatCount(count)} values of 90 B of a kind`,
      unit: "list",
      count,
      operation: (reads) => () => reads.list(KIND),
    }),
  ];
}

interface SnapshotRow {
  readonly name: string;
  readonly work: string;
  readonly unit: string;
  /** How many entries there are. Every other one has changed since the past revision. */
  readonly count: number;
  operation(reads: Reads<Kinds>): Contender["operate"];
}

function snapshotRow({ name, work, unit, count, operation }: SnapshotRow): Row {
  return {
    name,
    async measure(bench) {
      await using resources = new AsyncDisposableStack();
      const contenders: Contender[] = [];
      for (const driver of bench.bindings.keys()) {
        const path = `${await bench.makeFolder()}/store.db`;
        const store = resources.use(
          await openStore<Kinds>({ path, driver, durability: "normal" }),
        );
        await store.setAll(KIND, entriesOf(SMALL, count));
        const { revision } = await store.snapshot();
        for (let n = 0; n < count; n += 2) {
          await store.set(KIND, keyOf(n), SMALL.of(count + n));
        }
        const present = resources.use(await store.snapshot());
        const past = resources.use(await store.snapshot({ at: revision }));
        deepStrictEqual(await present.get(KIND, keyOf(0)), SMALL.of(count));
        deepStrictEqual(await past.get(KIND, keyOf(0)), SMALL.of(0));
        contenders.push(
          { name: `store (${driver})`, operate: operation(store) },
          { name: `store (${driver}), snapshot`, operate: operation(present) },
          { name: `store (${driver}), past`, operate: operation(past) },
        );
      }
      const measured = await measure(contenders, bench.plan);
      return {
        name,
        work:
          `${work}: of the store, of a snapshot of the newest revision, and of one of a past revision, since which every other value has changed`,
        unit,
        lines: groupedLines(measured, 3, "time / plain"),
      };
    },
  };
}
