/**
 * Expiry: its cost for a write, and the cost for others while many expired
 * entries are removed.
 *
 * @module
 */
import { setImmediate as turn } from "node:timers/promises";
import { equal } from "node:assert";
import { openStore } from "../../mod.ts";
import { type Contender, longer, measure, spreadOf } from "../measure.ts";
import {
  DENO_KV,
  formatCount,
  type Line,
  p99Of,
  type RowResult,
} from "../results.ts";
import type { Connection } from "../subjects/binding.ts";
import { type DriverName, KIND, type Kinds } from "../subjects/store.ts";
import { entriesOf, keyOf, SMALL, type Value } from "../values.ts";
import { groupedLines } from "./pairs.ts";
import type { Bench, Row } from "./row.ts";

const HOUR = 3_600_000;
/** The number of entries that a `set` replaces, in turn. */
const COUNT = 1_000;
/** The kind that is written while entries of the other kind are removed. */
const OTHER_KIND = "others";

/** The rows; `scale` makes them smaller. */
export function expiryRows(scale: number): Row[] {
  const count = 10_000 * scale;
  let removals: Promise<Removals[]> | undefined;
  const measured = (bench: Bench) => removals ??= measureRemovals(bench, count);
  return [
    setRow,
    {
      name: "expiry, removal",
      measure: async (bench) => removalResult(await measured(bench), count),
    },
    {
      name: "expiry, set meanwhile",
      measure: async (bench) => meanwhileResult(await measured(bench), count),
    },
  ];
}

const setRow: Row = {
  name: "expiry, set",
  async measure(bench) {
    await using resources = new AsyncDisposableStack();
    const contenders: Contender[] = [];
    const add = (
      name: string,
      set: (key: string, value: Value, expireIn?: number) => Promise<unknown>,
    ) => {
      const operate = (expireIn?: number) => (n: number) =>
        set(keyOf(n % COUNT), SMALL.of(COUNT + n), expireIn);
      contenders.push(
        { name, operate: operate() },
        { name: `${name}, expireIn`, operate: operate(HOUR) },
      );
    };
    for (const driver of bench.bindings.keys()) {
      const path = `${await bench.makeFolder()}/store.db`;
      const store = resources.use(
        await openStore<Record<string, Value>>({
          path,
          driver,
          durability: "normal",
        }),
      );
      // Each way has a kind of its own, so that no entry changes its way.
      for (const kind of ["plain", "expiring"]) {
        await store.setAll(kind, entriesOf(SMALL, COUNT));
      }
      add(
        `store (${driver})`,
        (key, value, expireIn) =>
          expireIn === undefined
            ? store.set("plain", key, value)
            : store.set("expiring", key, value, { expireIn }),
      );
    }
    if (bench.subjects.some(({ name }) => name === DENO_KV)) {
      const kv = await Deno.openKv(`${await bench.makeFolder()}/deno.kv`);
      resources.defer(() => kv.close());
      add(
        DENO_KV,
        (key, value, expireIn) =>
          expireIn === undefined
            ? kv.set(["plain", key], value)
            : kv.set(["expiring", key], value, { expireIn }),
      );
    }
    const measured = await measure(contenders, longer(bench.plan));
    return {
      name: this.name,
      work:
        `one caller replaces a value, with and without \`expireIn\`, at \`durability: "normal"\`; Deno KV: durably`,
      unit: "set",
      lines: groupedLines(
        measured,
        2,
        "time / no expiry",
        (name) => name.startsWith("store") ? "store" : "peer",
      ),
    };
  },
};

/** The measurements on a driver, by round, in ms. */
interface Removals {
  readonly driver: DriverName;
  /** For each removed entry. */
  readonly removals: number[];
  /** Each `set` of another kind during the removal. */
  readonly meanwhile: number[];
  /** As many afterwards. */
  readonly afterwards: number[];
  /** The relative time of a `set` during the removal, from the medians of a round. */
  readonly slowdowns: number[];
}

async function measureRemovals(
  bench: Bench,
  count: number,
): Promise<Removals[]> {
  const all: (Removals & { template: string })[] = [];
  for (const driver of bench.bindings.keys()) {
    const template = await makeExpired(bench, driver, count);
    const [removals, meanwhile, afterwards, slowdowns] = [[], [], [], []];
    all.push({ driver, template, removals, meanwhile, afterwards, slowdowns });
  }
  for (let round = 0; round < Math.min(bench.plan.rounds, 7); round++) {
    const order = round % 2 === 0 ? all : all.toReversed();
    for (const one of order) await removeOnce(bench, one, count);
  }
  return all;
}

/**
 * A closed file whose entries have all expired. No writer makes such a file:
 * its log does not have the expiries.
 */
async function makeExpired(
  bench: Bench,
  driver: DriverName,
  count: number,
): Promise<string> {
  const path = `${await bench.makeFolder()}/store.db`;
  const store = await openStore<Kinds>({ path, driver });
  await store.setAll(KIND, entriesOf(SMALL, count), { expireIn: HOUR });
  await store.close();
  const connection = bench.bindings.get(driver)!.open(path);
  const triggers = connection.prepare(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'",
  ).all();
  for (const { name } of triggers) connection.exec(`DROP TRIGGER ${name}`);
  connection.exec("UPDATE zestor_kv SET expires_at = 1");
  for (const { sql } of triggers) connection.exec(sql);
  connection.close();
  return path;
}

async function removeOnce(
  bench: Bench,
  { driver, template, removals, meanwhile, afterwards, slowdowns }:
    & Removals
    & { template: string },
  count: number,
): Promise<void> {
  const path = `${await bench.makeFolder()}/store.db`;
  await Deno.copyFile(template, path);
  const connection = bench.bindings.get(driver)!.open(path);
  try {
    const expired = expiredIn(connection);
    equal(expired.count(), count);
    await using store = await openStore<Record<string, Value>>({
      path,
      driver,
      durability: "normal",
    });
    let n = 0;
    const timeSet = async () => {
      const start = performance.now();
      await store.set(OTHER_KIND, keyOf(n % COUNT), SMALL.of(n++));
      const time = performance.now() - start;
      // Timers and reports of removals get their turn.
      await turn();
      return time;
    };
    // The first look of the store comes a little after its opening.
    while (expired.count() === count) await timeSet();
    const left = expired.count();
    const during: number[] = [];
    const start = performance.now();
    while (expired.exist()) during.push(await timeSet());
    if (left > 0) removals.push((performance.now() - start) / left);
    const after: number[] = [];
    while (after.length < Math.max(10, during.length)) {
      after.push(await timeSet());
    }
    meanwhile.push(...during);
    afterwards.push(...after);
    if (during.length === 0) return;
    slowdowns.push(spreadOf(during).median / spreadOf(after).median);
  } finally {
    connection.close();
  }
}

/** The expired entries that are still there. */
function expiredIn(connection: Connection) {
  const from = "FROM zestor_kv WHERE expires_at IS NOT NULL";
  const count = connection.prepare(`SELECT count(*) AS count ${from}`);
  const one = connection.prepare(`SELECT 1 ${from} LIMIT 1`);
  return {
    count: () => Number(count.get().count),
    exist: () => one.get() !== undefined,
  };
}

function removalResult(all: readonly Removals[], count: number): RowResult {
  return {
    name: "expiry, removal",
    work: `${
      formatCount(count)
    } entries that have expired are removed, while one caller writes to another kind, at \`durability: "normal"\``,
    unit: "entry",
    lines: all.filter(({ removals }) => removals.length > 0).map((
      { driver, removals },
    ): Line => ({
      subject: `store (${driver})`,
      family: "store",
      value: spreadOf(removals),
      times: removals,
      ratios: {},
      goals: [],
    })),
  };
}

function meanwhileResult(all: readonly Removals[], count: number): RowResult {
  const lineOf = (
    subject: string,
    times: readonly number[],
    ratios: Line["ratios"],
  ): Line[] =>
    times.length === 0 ? [] : [{
      subject,
      family: "store",
      value: spreadOf(times),
      p99: p99Of(times),
      ratios,
      goals: [],
    }];
  return {
    name: "expiry, set meanwhile",
    work: `a \`set\` by one caller while ${
      formatCount(count)
    } expired entries of another kind are removed, and afterwards, at \`durability: "normal"\``,
    unit: "set",
    lines: all.flatMap((
      { driver, meanwhile, afterwards, slowdowns },
    ): Line[] => [
      ...lineOf(
        `store (${driver}), removing`,
        meanwhile,
        slowdowns.length === 0
          ? {}
          : { "time / afterwards": spreadOf(slowdowns) },
      ),
      ...lineOf(`store (${driver}), afterwards`, afterwards, {}),
    ]),
  };
}
