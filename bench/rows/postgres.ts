/**
 * The store on PostgreSQL against bare statements through the same client.
 *
 * @module
 */
import { equal } from "node:assert";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Contender,
  type Grouping,
  longer,
  measure,
  type Measurement,
  speedOf,
  spreadOf,
} from "../measure.ts";
import { type Bare, openBare, openEmptyStore } from "../postgres/sessions.ts";
import type { PostgresServers } from "../postgres/servers.ts";
import { now, startProcess } from "../processes.ts";
import {
  atLeast,
  atMost,
  digits,
  formatCount,
  formatTime,
  type Line,
  lineOf,
  p99Of,
  type RowResult,
} from "../results.ts";
import { KIND } from "../subjects/store.ts";
import { entriesOf, keyOf, SMALL, type Value } from "../values.ts";
import type { Bench, Row } from "./row.ts";
import type { Server } from "../../tests/support/postgres/server.ts";
import { withClient } from "../../tests/support/postgres/query.ts";
import type { PostgresStore } from "../../src/postgres/open_postgres_store.ts";
import type { Kinds } from "../subjects/store.ts";

const STORE = "store (PostgreSQL)";
const CALLERS = 100;

/** How long the snapshot of another session is open, in ms. */
const SNAPSHOT_MS = 12_000;

/** The rows; `scale` makes them smaller. */
export function postgresRows(servers: PostgresServers, scale: number): Row[] {
  return [
    bareRow({
      name: "PostgreSQL: get",
      work: "one caller reads one of 1 000 values of 90 B by its key, decoded",
      unit: "get",
      least: 0.8,
      server: () => servers.quick(),
      store: (store) => (n) => store.get(KIND, keyOf(n % COUNT)),
      bare: (bare) => (n) => bare.get(keyOf(n % COUNT)),
    }),
    bareRow({
      name: "PostgreSQL: set",
      work:
        "one caller replaces one of 1 000 values of 90 B and waits for the commit; bare: an upsert",
      unit: "set",
      isDurable: true,
      least: 0.8,
      server: () => servers.quick(),
      store: (store) => (n) => store.set(KIND, ...replacement(n)),
      bare: (bare) => (n) => bare.set(...replacement(n)),
    }),
    bareRow({
      name: "PostgreSQL: set, 100 callers, flush of 5 ms",
      work:
        `${CALLERS} callers at once each replace a value of 90 B and wait for the commit, which takes 5 ms more; bare: ${CALLERS} callers over one connection that pipelines, each with an upsert in a transaction of its own`,
      unit: "set",
      isDurable: true,
      least: 15,
      weight: CALLERS,
      grouping: { batchSize: 1, singles: 0 },
      server: () => servers.slow(),
      store: (store) => (n) =>
        Promise.all(
          callersOf(n).map((entry) => store.set(KIND, ...entry)),
        ),
      bare: (bare) => (n) =>
        Promise.all(callersOf(n).map((entry) => bare.set(...entry))),
    }),
    updateRow(servers),
    setAllRow(servers, 50_000 * scale),
    eventRow(servers, 2_000 * scale),
    snapshotRow(servers, scale, COUNT),
    snapshotRow(servers, scale, 10),
  ];
}

/** How many entries there are to get and set. */
const COUNT = 1_000;

function replacement(n: number): [string, Value] {
  return [keyOf(n % COUNT), SMALL.of(COUNT + n)];
}

function callersOf(n: number): [string, Value][] {
  return Array.from(
    { length: CALLERS },
    (_, i) => [keyOf(i), SMALL.of((n + 1) * CALLERS + i)],
  );
}

/** A row that compares an operation with bare statements. */
interface BareRow {
  readonly name: string;
  readonly work: string;
  readonly unit: string;
  readonly isDurable?: boolean;
  /** The least speed relative to bare statements. */
  readonly least: number;
  readonly weight?: number;
  readonly grouping?: Grouping;
  server(): Promise<Server>;
  store(store: PostgresStore<Kinds>): Contender["operate"];
  bare(bare: Bare): Contender["operate"];
}

function bareRow(row: BareRow): Row {
  const { name, work, unit, isDurable, least, weight } = row;
  return {
    name,
    async measure({ plan }) {
      const { url } = await row.server();
      await using store = await openEmptyStore(url);
      await using bare = await openBare(url);
      await store.setAll(KIND, entriesOf(SMALL, COUNT));
      await bare.copy(entriesOf(SMALL, COUNT));
      const measurements = await measure(
        [
          { name: STORE, weight, operate: row.store(store) },
          { name: "bare statements", weight, operate: row.bare(bare) },
        ],
        longer(plan),
        row.grouping,
      );
      const lines = compared(measurements, "speed / bare", least, "bare");
      return { name, work, unit, isDurable, lines };
    },
  };
}

/** The lines of two subjects. The goal is the relative speed of the first. */
function compared(
  [one, other]: readonly Measurement[],
  heading: string,
  least: number,
  than: string,
): Line[] {
  const speed = speedOf(one, other);
  return [
    {
      ...lineOf(one, "store"),
      ratios: { [heading]: speed },
      goals: [atLeast(least, speed.median, digits, ` × ${than}`)],
    },
    lineOf(other, than === "bare" || than === "COPY" ? "raw" : "store"),
  ];
}

function updateRow(servers: PostgresServers): Row {
  const name = "PostgreSQL: update, 100 callers on one key";
  return {
    name,
    async measure({ plan }) {
      const { url } = await servers.slow();
      await using store = await openEmptyStore(url);
      let updates = 0;
      const update = (key: string) => {
        updates++;
        const add = (value: Value) => ({ ...value, seq: value.seq + 1 });
        return store.update(KIND, key, add, { initial: SMALL.of(0) });
      };
      const measurements = await measure(
        [
          {
            name: STORE,
            weight: CALLERS,
            operate: () => callAll(() => update("one")),
          },
          {
            name: `${STORE}, different keys`,
            weight: CALLERS,
            operate: () => callAll((i) => update(keyOf(i))),
          },
        ],
        plan,
        { batchSize: 1, singles: 0 },
      );
      // No update was lost or done twice: each made one version.
      let versions = 0;
      for await (const { version } of store.entries(KIND)) versions += version;
      equal(versions, updates);
      return {
        name,
        work:
          `${CALLERS} callers at once each update an entry, and the commit takes 5 ms more; none rejects with a conflict, and each update makes one version`,
        unit: "update",
        isDurable: true,
        lines: compared(
          measurements,
          "speed / different keys",
          0.5,
          "different keys",
        ),
      };
    },
  };
}

function callAll(call: (i: number) => Promise<unknown>): Promise<unknown> {
  return Promise.all(Array.from({ length: CALLERS }, (_, i) => call(i)));
}

function setAllRow(servers: PostgresServers, count: number): Row {
  const name = `PostgreSQL: setAll, ${formatCount(count)}`;
  return {
    name,
    async measure({ plan }) {
      const { url } = await servers.quick();
      await using bare = await openBare(url);
      const entries = entriesOf(SMALL, count);
      let store: PostgresStore<Kinds>;
      const measurements = await measure(
        [
          {
            name: STORE,
            weight: count,
            before: async () => void (store = await openEmptyStore(url)),
            operate: () => store.setAll(KIND, entries),
            after: () => store.close(),
          },
          {
            name: "COPY",
            weight: count,
            before: () => bare.clear(),
            operate: () => bare.copy(entries),
          },
        ],
        { ...plan, rounds: Math.min(plan.rounds, 7), budget: Infinity },
        {
          batchSize: 1,
          singles: 0,
        },
      );
      return {
        name,
        work:
          "new values of 90 B, written into an empty schema in one transaction; COPY: into a plain table, through the same client",
        unit: "entry",
        isDurable: true,
        lines: compared(measurements, "speed / COPY", 0.7, "COPY"),
      };
    },
  };
}

function eventRow(servers: PostgresServers, commits: number): Row {
  const name = "PostgreSQL: commit to event, other process";
  return {
    name,
    async measure() {
      const { url } = await servers.quick();
      const latencies = await timeEvents(url, commits);
      const value = spreadOf(latencies);
      const p99 = p99Of(latencies);
      return {
        name,
        work:
          "from the moment a `set` of another process has resolved, after a pause of 0 to 5 ms, to its event",
        unit: "event",
        lines: [{
          subject: STORE,
          family: "store",
          value,
          p99,
          ratios: {},
          goals: [
            atMost(1.5, value.median, formatTime, ", p50"),
            atMost(15, p99, formatTime, ", p99"),
          ],
        }],
      };
    },
  };
}

async function timeEvents(url: string, commits: number): Promise<number[]> {
  await using store = await openEmptyStore(url);
  const { schema } = await store.info();
  const writer = startProcess({
    role: "writePostgres",
    url,
    schema,
    pauses: Array.from({ length: commits }, () => Math.random() * 5),
  });
  await writer.ready;
  const watch = store.watch("k" as typeof KIND, { initial: true }).getReader();
  const seen: bigint[] = [];
  const reading = (async () => {
    while (seen.length < commits) {
      await watch.read();
      seen.push(now());
    }
  })();
  await writer.begin();
  await reading;
  await watch.cancel();
  const written = await writer.result;
  return written.map((time, n) =>
    Math.max(0, Number(seen[n] - BigInt(time)) / 1e6)
  );
}

/** Ten callers replace values of so many entries. */
function snapshotRow(
  servers: PostgresServers,
  scale: number,
  count: number,
): Row {
  const name = `PostgreSQL: set of ${
    formatCount(count)
  } entries while a snapshot is open`;
  const duration = SNAPSHOT_MS * Math.max(scale, 0.05);
  return {
    name,
    async measure(_bench: Bench): Promise<RowResult> {
      const { url } = await servers.quick();
      await using store = await openEmptyStore(url);
      await using bare = await openBare(url);
      const setters: Setter[] = [
        (entries) =>
          Promise.all(entries.map((entry) => store.set(KIND, ...entry))),
        (entries) => bare.setTogether(entries),
      ];
      await timeSets(setters, count, duration / 4);
      const before = await timeSets(setters, count, duration);
      const during = await withClient(url, async (client) => {
        await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
        await client.query("SELECT 1");
        return await timeSets(setters, count, duration);
      });
      const [own, limit] = before.map((times, i) =>
        slowdownOf(times, during[i])
      );
      const bareReaches = `bare: ${digits(limit.ratio)}`;
      return {
        name,
        work: `10 callers replace values of ${
          formatCount(count)
        } entries, in turns with bare upserts of 10 rows of a plain table by one statement, for ${
          formatTime(2 * duration)
        } and for as long again while another session holds a snapshot (REPEATABLE READ) open; the rate of the last twelfth. PostgreSQL keeps the dead versions of a row as long as the snapshot is open, so bare upserts slow down, too`,
        unit: "set",
        isDurable: true,
        lines: [
          ...slowdownLines(STORE, "store", own, [
            atLeast(0.6, own.ratio, digits, " × before", bareReaches),
          ]),
          ...slowdownLines("bare statements", "raw", limit, []),
        ],
      };
    },
  };
}

/** The times of sets before a snapshot was open, and at its end, in ms. */
interface Slowdown {
  readonly before: readonly number[];
  readonly last: readonly number[];
  /** The relative time at the end. */
  readonly ratio: number;
}

function slowdownOf(
  before: readonly number[],
  during: readonly number[],
): Slowdown {
  // The last second shows the effect of a longer snapshot.
  const last = during.slice(-Math.ceil(during.length / 12));
  const ratio = spreadOf(before).median / spreadOf(last).median;
  return { before, last, ratio };
}

function slowdownLines(
  name: string,
  family: Line["family"],
  { before, last, ratio }: Slowdown,
  goals: Line["goals"],
): Line[] {
  return [{
    subject: name,
    family,
    value: spreadOf(last),
    ratios: { "rate / before": { median: ratio, low: ratio, high: ratio } },
    goals,
  }, {
    subject: `${name}, before`,
    family,
    value: spreadOf(before),
    ratios: {},
    goals: [],
  }];
}

/** Replaces the values of ten entries at once. */
type Setter = (entries: [string, Value][]) => Promise<unknown>;

/** How many calls one subject makes before the other's turn. */
const TURN = 10;

/** ms for each set, by the calls of ten at once; each makes as many. */
async function timeSets(
  setters: readonly Setter[],
  count: number,
  duration: number,
): Promise<number[][]> {
  const times: number[][] = setters.map(() => []);
  const end = performance.now() + setters.length * duration;
  for (let n = 0; performance.now() < end; n += TURN) {
    for (const [i, set] of setters.entries()) {
      for (let call = n; call < n + TURN; call++) {
        const entries = Array.from(
          { length: 10 },
          (_, i): [string, Value] => [
            keyOf((call * 10 + i) % count),
            SMALL.of(call * 10 + i),
          ],
        );
        const start = performance.now();
        await set(entries);
        times[i].push((performance.now() - start) / 10);
      }
    }
    await delay(0);
  }
  return times;
}
