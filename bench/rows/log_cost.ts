/**
 * What the change log costs a write.
 *
 * @module
 */
import { ok } from "node:assert";
import { openStore } from "../../mod.ts";
import { type Contender, measure, speedOf } from "../measure.ts";
import { atMost, digits, type Line, lineOf } from "../results.ts";
import type { Connection } from "../subjects/binding.ts";
import { KIND, type Kinds } from "../subjects/store.ts";
import { entriesOf, keyOf, SMALL } from "../values.ts";
import type { Row } from "./row.ts";

const COUNT = 1_000;
/** How many times as long a `set` may take with the log. */
const MOST = 1.6;
/** So many changes that the log is as long as it may be, and is pruned. */
const HISTORY = 2 * COUNT;

/** The row. */
export const logCostRow: Row = {
  name: "change log",
  async measure(bench) {
    const lines: Line[] = [];
    for (const [driver, binding] of bench.bindings) {
      await using resources = new AsyncDisposableStack();
      const open = async (
        name: string,
      ): Promise<Contender & { beside: Connection }> => {
        const path = `${await bench.makeFolder()}/store.db`;
        const store = resources.use(
          await openStore<Kinds>({
            path,
            driver,
            durability: "normal",
            history: HISTORY,
          }),
        );
        for (let seq = 0; seq < 3; seq++) {
          const entries = entriesOf(SMALL, COUNT);
          await store.setAll(
            KIND,
            entries.map(([key], n) => [key, SMALL.of(n + seq)]),
          );
        }
        const beside = binding.open(path);
        resources.defer(() => void beside.close());
        return {
          name,
          beside,
          operate: (n) =>
            store.set(KIND, keyOf(n % COUNT), SMALL.of(COUNT + n)),
        };
      };
      const logged = await open(`store (${driver})`);
      const unlogged = await open(`store (${driver}), no triggers`);
      dropTriggers(unlogged.beside);
      const revision = revisionOf(unlogged.beside);
      const [one, other] = await measure([logged, unlogged], bench.plan);
      ok(revisionOf(unlogged.beside) === revision);
      ok(revisionOf(logged.beside) > revision);
      const cost = speedOf(other, one);
      lines.push({
        ...lineOf(one, "store"),
        ratios: { "time / no triggers": cost },
        goals: [atMost(MOST, cost.median, digits, " × without")],
      }, lineOf(other, "store"));
    }
    return {
      name: this.name,
      work:
        'one caller replaces a value, at `durability: "normal"`, with the triggers that write the change log, and without them',
      unit: "set",
      lines,
    };
  },
};

function dropTriggers(connection: Connection): void {
  const triggers = connection.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'trigger'",
  ).all();
  for (const { name } of triggers) connection.exec(`DROP TRIGGER ${name}`);
}

function revisionOf(connection: Connection): number {
  return connection.prepare("SELECT seq FROM sqlite_sequence").get().seq;
}
