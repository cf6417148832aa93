/**
 * The benchmark's arithmetic, and that docs/performance.md has its figures. No test here
 * measures a time.
 *
 * @module
 */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { driverGoal, driverSpeeds } from "../bench/drivers.ts";
import { measure, type Measurement, speedOf } from "../bench/measure.ts";
import { figuresIn, withFigures } from "../bench/figures.ts";
import { goalTables, sectionOf } from "../bench/report.ts";
import {
  atLeast,
  atMost,
  BETTER_SQLITE,
  DENO_KV,
  digits,
  formatBytes,
  formatTime,
  type Line,
  lineOf,
  linesOf,
  RAW,
  type RowResult,
} from "../bench/results.ts";
import type { Subject } from "../bench/subjects/subject.ts";
import { SUMMARY_END, SUMMARY_START, summaryOf } from "../bench/summary.ts";
import { LARGE, LARGE_CHANGED } from "../bench/values.ts";
import { Random } from "./support/random.ts";

function measured(
  name: string,
  ...times: (number | undefined)[]
): Measurement {
  return { name, times, singles: [] };
}

function subject(name: string, limit?: string): Subject {
  const family = limit ? "store" : name.startsWith("raw") ? "raw" : "peer";
  return {
    name,
    family,
    limit,
    isDurable: true,
    durability: "",
    open: () => Promise.reject(new Error("Only its name is used here")),
  };
}

const SUBJECTS = [
  subject("store (builtin)", "raw (builtin)"),
  subject("raw (builtin)"),
  subject("store (ffi)", "raw (ffi)"),
  subject("raw (ffi)"),
  subject(DENO_KV),
  subject(BETTER_SQLITE),
];

function row(name: string, lines: readonly Line[]): RowResult {
  return { name, work: "works", unit: "set", lines };
}

Deno.test("a speed is the median of the ratios within the rounds that both were in", () => {
  const one = measured("one", 1, 2, undefined, 4, 10);
  const other = measured("other", 2, 2, 50, 2, undefined);
  assertEquals(speedOf(one, other).median, 1);
});

Deno.test("a contender that is slow sits out the rounds after its budget", async () => {
  let clock = 0;
  const { now } = performance;
  performance.now = () => clock;
  try {
    const takes = (name: string, ms: number) => ({
      name,
      operate: () => void (clock += ms),
    });
    const plan = {
      rounds: 5,
      batch: 1,
      warmUp: 1,
      budget: 100,
      singles: 0,
      random: new Random("bench"),
    };
    const [quick, slow] = await measure(
      [takes("quick", 1), takes("slow", 40)],
      plan,
      { batchSize: 1, singles: 0 },
    );
    assertEquals(quick.times, [1, 1, 1, 1, 1]);
    assertEquals(slow.times, [40, 40, 40, undefined, undefined]);
  } finally {
    performance.now = now;
  }
});

Deno.test("a goal concerns only the store, and shows what raw statements reach", () => {
  const lines = linesOf(SUBJECTS, [
    measured("store (builtin)", 2, 2, 2),
    measured("raw (builtin)", 1, 1, 1),
    measured(DENO_KV, 2, 2.2, 3),
    measured(BETTER_SQLITE, 1, 1, 1),
  ], { speed: { [RAW]: 0.4, [DENO_KV]: 1.15, [BETTER_SQLITE]: 0.9 } });
  assertEquals(lines.map(({ goals }) => goals), [
    [
      {
        goal: "≥ 0.4 × raw",
        actual: "0.50",
        reached: true,
        limit: undefined,
      },
      {
        goal: "≥ 1.15 × Deno KV",
        actual: "1.10",
        reached: false,
        limit: "raw: 2.20",
      },
      {
        goal: "≥ 0.9 × better-sqlite3, own table",
        actual: "0.50",
        reached: false,
        limit: "raw: 1.00",
      },
    ],
    [],
    [],
    [],
  ]);
  const [, raw, denoKv] = lines;
  assertEquals(Object.keys(raw.ratios), [
    "speed / Deno KV",
    "speed / better-sqlite3",
  ]);
  assertEquals(denoKv.ratios, {});
});

Deno.test("a goal beside a peer that is absent is left out", () => {
  const [store] = linesOf(SUBJECTS, [
    measured("store (builtin)", 1, 1, 1),
    measured("raw (builtin)", 1, 1, 1),
  ], { speed: { [DENO_KV]: 2 } });
  assertEquals(store.goals, []);
});

Deno.test("the tables of goals have a line for each goal, and a column for each driver", () => {
  const lineWith = (subject: string, goals: Line["goals"]): Line => ({
    ...lineOf(measured(subject, 1, 1, 1), "store"),
    times: undefined,
    goals,
  });
  const tables = goalTables([
    row("set", [
      lineWith("store (builtin)", [
        atLeast(0.9, 0.5, digits, " × raw", "raw: 1.00"),
      ]),
      lineWith("store (ffi)", [
        atLeast(0.9, 0.95, digits, " × raw", "raw: 1.00"),
      ]),
    ]),
    row("size", [
      lineWith("store (ffi), 1 M", [atMost(10, 12, formatTime)]),
    ]),
    row("get", [
      lineWith("store (PostgreSQL)", [atMost(1.5, 1, digits, " × bare")]),
    ]),
  ]);
  assertEquals(tables.split("\n"), [
    "| work | goal | builtin | ffi |",
    "| --- | --- | --: | --: |",
    "| set | ≥ 0.9 × raw | **0.50** (raw: 1.00) | 0.95 |",
    "| size, 1 M | ≤ 10 ms |  | **12.0 ms** |",
    "",
    "| work | goal | PostgreSQL |",
    "| --- | --- | --: |",
    "| get | ≤ 1.5 × bare | 1.00 |",
  ]);
});

Deno.test("the drivers are compared in each line that both have, the worst first", () => {
  const rows = [
    row("get", [
      lineOf(measured("store (builtin)", 1, 2, 4), "store"),
      lineOf(measured("raw (builtin)", 1, 1, 1), "raw"),
      lineOf(measured("store (ffi)", 1, 2, 4), "store"),
      lineOf(measured("raw (ffi)", 2, 2, 2), "raw"),
    ]),
    row("size", [
      lineOf(measured("store (builtin), 1 M", 1, 2, 4), "store"),
      lineOf(measured("store (ffi), 1 M", 2, 4, 8), "store"),
      lineOf(measured("store (ffi), 2 M", 9, 9, 9), "store"),
    ]),
    row("memory", [
      {
        ...lineOf(measured("store (builtin)", 1), "store"),
        times: undefined,
      },
      { ...lineOf(measured("store (ffi)", 9), "store"), times: undefined },
    ]),
  ];
  const speeds = driverSpeeds(rows);
  assertEquals(
    speeds.map(({ work, speed, raw }) => [work, speed.median, raw?.median]),
    [["size, 1 M", 0.5, undefined], ["get", 1, 0.5]],
  );
  assertEquals(driverGoal(rows), {
    work: "worst row: size, 1 M",
    goal: "≥ 0.85 × builtin",
    actual: "0.50",
    reached: false,
    limit: undefined,
  });
  assertEquals(driverGoal(rows.slice(2)), undefined);
});

Deno.test("a row that cannot be measured says why, and a column without figures is left out", () => {
  const subjects = { present: SUBJECTS, absent: [], bindings: new Map() };
  const absent = { ...row("bytes", []), absent: "no account" };
  assertEquals(
    sectionOf(absent, subjects),
    "## bytes\n\nWorks.\n\nNot measured here: no account.",
  );
  const lines = [lineOf(measured("store (builtin)", 1, 1, 1), "store")];
  const shown = sectionOf(row("set", lines), subjects);
  assertStringIncludes(shown, "| subject | per set |\n");
});

Deno.test("figures have three digits, and a unit", () => {
  assertEquals(
    [0.5, 9.876, 98.76, 987.6].map(digits),
    ["0.50", "9.88", "98.8", "988"],
  );
  assertEquals([0.012, 3, 4_500].map(formatTime), [
    "12.0 µs",
    "3.00 ms",
    "4.50 s",
  ]);
  assertEquals([90, 2_048, 3 << 20].map(formatBytes), [
    "0.09 KiB",
    "2.00 KiB",
    "3.00 MiB",
  ]);
});

Deno.test("the summary leaves out rows that were not measured", () => {
  const lines = linesOf(SUBJECTS, [
    measured("store (builtin)", 0.25, 0.25, 0.25),
    measured("raw (builtin)", 0.125, 0.125, 0.125),
  ]);
  const summary = summaryOf([row("set, 90 B", lines), row("open", lines)]);
  assertStringIncludes(
    summary,
    "| `set`, 90 B, durable, one caller | 0.50 | – | – | – |",
  );
  assertEquals(
    summary.split("\n").filter((line) => line.startsWith("-")),
    ["- A file of 10 000 entries opens in 250 µs."],
  );
});

Deno.test("values that are changed throughout have the same length", () => {
  for (const n of [0, 1, 7, 100]) {
    const [one, next] = [LARGE_CHANGED.of(n), LARGE_CHANGED.of(n + 100)];
    for (const value of [one, next, LARGE.of(n)]) {
      assertEquals(JSON.stringify(value).length, LARGE.bytes);
    }
    const [items, others] = [one.items, next.items] as { score: number }[][];
    assertEquals(items.filter(({ score }, i) => score === others[i].score), []);
  }
});

Deno.test("figures go from one text to another, between the same marks", () => {
  const figures = `${SUMMARY_START}\nnew $& figures\n${SUMMARY_END}`;
  const text = `before\n${SUMMARY_START}\nold\n${SUMMARY_END}\nafter`;
  assertEquals(figuresIn(`x ${figures} y`), figures);
  assertEquals(withFigures(text, figures), `before\n${figures}\nafter`);
  assertThrows(() => figuresIn("nothing"), Error, "Cannot find the figures");
});

Deno.test("docs/performance.md has the figures of bench/RESULTS.md", async () => {
  const [page, results] = await Promise.all(
    ["docs/performance.md", "bench/RESULTS.md"].map((path) =>
      Deno.readTextFile(new URL(`../${path}`, import.meta.url))
    ),
  );
  assertEquals(figuresIn(page), figuresIn(results));
});
