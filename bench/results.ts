/**
 * The result of a row: the measurements, and the goals.
 *
 * @module
 */
import { quantile } from "simple-statistics";
import { type Measurement, speedOf, type Spread, spreadOf } from "./measure.ts";
import type { Family, Subject } from "./subjects/subject.ts";

/** A row of the benchmark: a piece of work, and the results of all subjects. */
export interface RowResult {
  readonly name: string;
  /** The exact work. */
  readonly work: string;
  /** The measured quantity. @default {"time"} */
  readonly quantity?: "time" | "bytes";
  /** The counted unit: "get", "event", … */
  readonly unit: string;
  /** Whether it waits until its writes are durable. */
  readonly isDurable?: boolean;
  /** Why it could not be measured here. Then it has no lines. */
  readonly absent?: string;
  readonly lines: readonly Line[];
}

/** One line of a row's table. */
export interface Line {
  readonly subject: string;
  readonly family: Family;
  /** ms, or bytes, for each unit. */
  readonly value: Spread;
  /** ms by round, if all lines of the row were measured in the same rounds. */
  readonly times?: Measurement["times"];
  /** ms. Absent if operations are not timed one by one. */
  readonly p99?: number;
  /** The comparisons, by the heading of the column. */
  readonly ratios: Readonly<Record<string, Spread>>;
  readonly goals: readonly Goal[];
}

/** A goal, and the result for it. */
export interface Goal {
  readonly goal: string;
  readonly actual: string;
  readonly reached: boolean;
  /** The result of raw or bare statements, if it is more useful than the goal. */
  readonly limit?: string;
}

/** The goals for a store in a file. */
export interface SpeedGoals {
  /** The least relative speed, by "raw" or the name of a subject. */
  readonly speed?: Readonly<Record<string, number>>;
  /** The least number in a second. */
  readonly rate?: number;
}

/** The name of the raw statements of the store's own binding in goals. */
export const RAW = "raw";
/** The names of peers in goals and in the summary. */
export const DENO_KV = "Deno KV";
/** See {@linkcode DENO_KV}. */
export const NODE_SQLITE = "node:sqlite, own table";
/** See {@linkcode DENO_KV}. */
export const BETTER_SQLITE = "better-sqlite3, own table";
/** See {@linkcode DENO_KV}. */
export const LMDB = "lmdb";

/** The lines of the measured subjects. */
export function linesOf(
  subjects: readonly Subject[],
  measurements: readonly Measurement[],
  goals: SpeedGoals = {},
): Line[] {
  const find = (name: string | undefined) =>
    measurements.find((measurement) => measurement.name === name);
  const peers = Object.keys(goals.speed ?? {})
    .filter((than) => than !== RAW && than !== DENO_KV);
  return measurements.map((measurement) => {
    const { family, limit } = subjects.find(({ name }) =>
      name === measurement.name
    )!;
    const raw = find(limit);
    const bases: Record<string, Measurement | undefined> = { [RAW]: raw };
    // Every line is compared with Deno KV, and few with what else a goal names.
    for (const name of family === "peer" ? [DENO_KV] : [DENO_KV, ...peers]) {
      bases[name] = find(name);
    }
    const ratios: Record<string, Spread> = {};
    for (const [name, base] of Object.entries(bases)) {
      if (!base || base === measurement) continue;
      // "better-sqlite3, own table" would be wider than the figures.
      ratios[`speed / ${name.split(",")[0]}`] = speedOf(measurement, base);
    }
    return {
      ...lineOf(measurement, family),
      ratios,
      goals: limit ? goalsOf(goals, measurement, raw, bases) : [],
    };
  });
}

function goalsOf(
  { speed = {}, rate }: SpeedGoals,
  measurement: Measurement,
  raw: Measurement | undefined,
  bases: Readonly<Record<string, Measurement | undefined>>,
): Goal[] {
  const goals: Goal[] = [];
  for (const [than, least] of Object.entries(speed)) {
    const base = bases[than];
    if (!base) continue;
    const limit = raw && raw !== base
      ? `raw: ${digits(speedOf(raw, base).median)}`
      : undefined;
    const { median } = speedOf(measurement, base);
    goals.push(atLeast(least, median, digits, ` × ${than}`, limit));
  }
  if (rate !== undefined) {
    const rateOf = ({ times }: Measurement) => 1_000 / spreadOf(times).median;
    const limit = raw && `raw: ${formatRate(rateOf(raw))}`;
    goals.push(atLeast(rate, rateOf(measurement), formatRate, "", limit));
  }
  return goals;
}

/** The line of a measurement by itself. */
export function lineOf(
  { name, times, singles }: Measurement,
  family: Family,
): Line {
  return {
    subject: name,
    family,
    value: spreadOf(times),
    times,
    p99: singles.length === 0 ? undefined : p99Of(singles),
    ratios: {},
    goals: [],
  };
}

/** A goal that a number must not pass. */
export function atMost(
  most: number,
  value: number,
  format: (value: number) => string,
  of = "",
  limit?: string,
): Goal {
  const goal = `≤ ${shortened(format(most))}${of}`;
  return { goal, actual: format(value), reached: value <= most, limit };
}

/** A goal that a number must come to. */
export function atLeast(
  least: number,
  value: number,
  format: (value: number) => string,
  of = "",
  limit?: string,
): Goal {
  const goal = `≥ ${shortened(format(least))}${of}`;
  return { goal, actual: format(value), reached: value >= least, limit };
}

/** A figure without the zeros at its end: "0.9" for "0.90". */
function shortened(figure: string): string {
  return figure.replace(/\.(\d*?)0+(?!\d)/, (_, rest) => rest && `.${rest}`);
}

/** The 99th percentile. */
export function p99Of(numbers: readonly number[]): number {
  return quantile([...numbers], 0.99);
}

/** A time, with its unit. */
export function formatTime(ms: number): string {
  if (ms < 1) return `${digits(ms * 1_000)} µs`;
  return ms < 1_000 ? `${digits(ms)} ms` : `${digits(ms / 1_000)} s`;
}

/** The number in a second. */
export function formatRate(perSecond: number): string {
  return `${formatCount(Math.round(Number(perSecond.toPrecision(3))))}/s`;
}

/** "100 000". */
export function formatCount(count: number): string {
  return count.toLocaleString("en").replaceAll(",", " ");
}

/** A number of bytes, with its unit. */
export function formatBytes(bytes: number): string {
  const [factor, unit] = bytes < 2 ** 20 ? [2 ** 10, "KiB"] : [2 ** 20, "MiB"];
  return `${digits(bytes / factor)} ${unit}`;
}

/** A ratio, with the 10th and the 90th percentile if it was measured more than once. */
export function formatRatio({ median, low, high }: Spread): string {
  if (low === high) return digits(median);
  return `${digits(median)} [${digits(low)}–${digits(high)}]`;
}

/** Three digits. */
export function digits(number: number): string {
  if (number >= 100) return String(Math.round(number));
  return number.toFixed(number >= 10 ? 1 : 2);
}
