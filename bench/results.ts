/**
 * What a row tells: what was measured, and how far that is from its goals.
 *
 * @module
 */
import { quantile } from "simple-statistics";
import { type Measurement, speedOf, type Spread, spreadOf } from "./measure.ts";
import type { Family, Subject } from "./subjects/subject.ts";

/** A row of the benchmark: a piece of work, and what it took each. */
export interface RowResult {
  readonly name: string;
  /** What exactly is done. */
  readonly work: string;
  /** What is measured of it. @default {"time"} */
  readonly quantity?: "time" | "memory";
  /** What is counted: "get", "event", … */
  readonly unit: string;
  /** Whether it waits until what it writes is durable. */
  readonly isDurable?: boolean;
  readonly lines: readonly Line[];
}

/** One line of a row's table. */
export interface Line {
  readonly subject: string;
  readonly family: Family;
  /** ms for each of the unit, or bytes of memory. */
  readonly value: Spread;
  /** ms; absent where operations are not timed one by one. */
  readonly p99?: number;
  /** What it was compared with, by the heading of a column. */
  readonly ratios: Readonly<Record<string, Spread>>;
  readonly goals: readonly Goal[];
}

/** A figure to reach, and what was reached. */
export interface Goal {
  readonly goal: string;
  readonly actual: string;
  readonly reached: boolean;
}

/** What a store in a file has to reach. */
export interface SpeedGoals {
  /** At least so many times as fast as raw statements. */
  readonly vsRaw?: number;
  /** At least so many times as fast as Deno KV. */
  readonly vsDenoKv?: number;
  /** At least so many in a second. */
  readonly rate?: number;
}

const DENO_KV = "Deno KV";

/** The lines of what was measured of subjects. */
export function linesOf(
  subjects: readonly Subject[],
  measurements: readonly Measurement[],
  goals: SpeedGoals = {},
): Line[] {
  const find = (name: string | undefined) =>
    measurements.find((measurement) => measurement.name === name);
  const denoKv = find(DENO_KV);
  return measurements.map((measurement) => {
    const { family, limit } = subjects.find(({ name }) =>
      name === measurement.name
    )!;
    const raw = find(limit);
    const ratios: Record<string, Spread> = {};
    if (raw) ratios["speed / raw"] = speedOf(measurement, raw);
    if (denoKv && denoKv !== measurement) {
      ratios["speed / Deno KV"] = speedOf(measurement, denoKv);
    }
    return {
      ...lineOf(measurement, family),
      ratios,
      goals: limit === undefined ? [] : goalsOf(
        goals,
        ratios,
        spreadOf(measurement.times),
        raw && denoKv && speedOf(raw, denoKv),
      ),
    };
  });
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
    p99: singles.length === 0 ? undefined : p99Of(singles),
    ratios: {},
    goals: [],
  };
}

function goalsOf(
  { vsRaw, vsDenoKv, rate }: SpeedGoals,
  ratios: Record<string, Spread>,
  { median }: Spread,
  rawVsDenoKv: Spread | undefined,
): Goal[] {
  const goals: Goal[] = [];
  const addSpeed = (least: number | undefined, of: string, limit?: Spread) => {
    const speed = ratios[`speed / ${of}`];
    if (least === undefined || speed === undefined) return;
    const rawReaches = limit ? `; raw: ${digits(limit.median)}` : "";
    goals.push({
      goal: `≥ ${least} × ${of}`,
      actual: `${digits(speed.median)}${rawReaches}`,
      reached: speed.median >= least,
    });
  };
  addSpeed(vsRaw, "raw");
  addSpeed(vsDenoKv, DENO_KV, rawVsDenoKv);
  if (rate !== undefined) {
    goals.push({
      goal: `≥ ${formatRate(rate)}`,
      actual: formatRate(1_000 / median),
      reached: 1_000 / median >= rate,
    });
  }
  return goals;
}

/** A goal that a number must not pass. */
export function atMost(
  most: number,
  value: number,
  format: (value: number) => string,
  of = "",
): Goal {
  return {
    goal: `≤ ${format(most)}${of}`,
    actual: format(value),
    reached: value <= most,
  };
}

/** What 99 of 100 numbers are below. */
export function p99Of(numbers: readonly number[]): number {
  return quantile([...numbers], 0.99);
}

/** A time, with its unit. */
export function formatTime(ms: number): string {
  if (ms < 1) return `${digits(ms * 1_000)} µs`;
  return ms < 1_000 ? `${digits(ms)} ms` : `${digits(ms / 1_000)} s`;
}

/** How many in a second. */
export function formatRate(perSecond: number): string {
  return `${formatCount(Math.round(Number(perSecond.toPrecision(3))))}/s`;
}

/** "100 000". */
export function formatCount(count: number): string {
  return count.toLocaleString("en").replaceAll(",", " ");
}

/** An amount of memory. */
export function formatMemory(bytes: number): string {
  return `${digits(bytes / 2 ** 20)} MiB`;
}

/** A ratio, with what lies between the 10th and the 90th percentile. */
export function formatRatio({ median, low, high }: Spread): string {
  return `${digits(median)} [${digits(low)}–${digits(high)}]`;
}

/** Three digits. */
export function digits(number: number): string {
  if (number >= 100) return String(Math.round(number));
  return number.toFixed(number >= 10 ? 1 : 2);
}
