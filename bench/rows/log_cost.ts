/**
 * What the change log costs a write.
 *
 * @module
 */
import { equal } from "node:assert";
import { openStore, type SqliteStore } from "../../mod.ts";
import { type Contender, measure, speedOf } from "../measure.ts";
import { atMost, formatRatio, type Line, lineOf } from "../results.ts";
import type { Connection } from "../subjects/binding.ts";
import { KIND, type Kinds } from "../subjects/store.ts";
import { entriesOf, keyOf, SMALL } from "../values.ts";
import type { Row } from "./row.ts";

const COUNT = 1_000;
/** How many times as long a `set` may take with the log. */
const MOST = 1.6;

/** The row. */
export const logCostRow: Row = {
  name: "change log",
  async measure(bench) {
    const lines: Line[] = [];
    const plan = { ...bench.plan, batch: 2 * bench.plan.batch };
    for (const [driver, binding] of bench.bindings) {
      const opened: Connection[] = [];
      const stores: SqliteStore<Kinds>[] = [];
      const contender = async (name: string): Promise<Contender> => {
        const path = `${await bench.makeFolder()}/store.db`;
        const store = await openStore<Kinds>({
          path,
          driver,
          durability: "normal",
        });
        await store.setAll(KIND, entriesOf(SMALL, COUNT));
        opened.push(binding.open(path));
        stores.push(store);
        return {
          name,
          operate: (n) =>
            store.set(KIND, keyOf(n % COUNT), SMALL.of(COUNT + n)),
        };
      };
      try {
        const logged = await contender(`store (${driver})`);
        const unlogged = await contender(`store (${driver}), no triggers`);
        const [log, noLog] = opened;
        dropTriggers(noLog);
        const [one, other] = await measure([logged, unlogged], plan);
        equal(countChanges(noLog), COUNT);
        equal(countChanges(log) > COUNT, true);
        const cost = speedOf(other, one);
        const goal = atMost(
          `≤ ${MOST} × without`,
          MOST,
          cost.median,
          formatRatio(cost),
        );
        lines.push(lineOf(one, "store", [goal]), lineOf(other, "store"));
      } finally {
        for (const store of stores) await store.close();
        for (const connection of opened) connection.close();
      }
    }
    return {
      name: this.name,
      work:
        'one caller replaces a value, at `durability: "normal"`, with the triggers that write the log and with none',
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

/** The newest revision: the log itself is pruned. */
function countChanges(connection: Connection): number {
  return connection.prepare("SELECT seq FROM sqlite_sequence").get().seq;
}
