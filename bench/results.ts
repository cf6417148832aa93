/**
 * What a row tells: what was measured, and how far that is from its goals.
 *
 * @module
 */
import { quantile } from "simple-statistics";
import { type Measurement, speedOf, type Spread, spreadOf } from "./measure.ts";
import type { Family, Subject } from "./subjects/subject.ts";

/** One line of a table. */
export interface Line {
  readonly subject: string;
  readonly family: Family;
  /** ms for each operation. */
  readonly time: Spread;
  /** ms; absent where operations are not timed one by one. */
  readonly p99?: number;
  readonly rounds: number;
  /** How many times as fast as raw statements of its binding. */
  readonly vsRaw?: Spread;
  /** How many times as fast as Deno KV. */
  readonly vsDenoKv?: Spread;
  readonly goals: readonly GoalResult[];
}

/** A figure to reach, and what was reached. */
export interface GoalResult {
  readonly goal: string;
  readonly actual: string;
  readonly reached: boolean;
}

/** A row of the benchmark: a piece of work, and how long each took over it. */
export interface RowResult {
  readonly name: string;
  /** What exactly is done. */
  readonly work: string;
  /** What is counted: "operation", "set", "event", … */
  readonly unit: string;
  readonly lines: readonly Line[];
}

/** Figures for a store's speed, as multiples of another's. */
export interface SpeedGoals {
  readonly vsRaw?: number;
  readonly vsDenoKv?: number;
  /** At least so many in a second. */
  readonly rate?: number;
}

/** Makes the lines of what was measured of subjects. */
export function linesOf(
  subjects: readonly Subject[],
  measurements: readonly Measurement[],
  goals: SpeedGoals = {},
): Line[] {
  const find = (name: string | undefined) =>
    measurements.find((measurement) => measurement.name === name);
  const denoKv = find("Deno KV");
  return measurements.map((measurement) => {
    const subject = subjects.find(({ name }) => name === measurement.name)!;
    const limit = find(subject.limit);
    const vsRaw = limit && speedOf(measurement, limit);
    const vsDenoKv = denoKv && denoKv !== measurement
      ? speedOf(measurement, denoKv)
      : undefined;
    const results: GoalResult[] = [];
    if (subject.family === "store" && subject.limit) {
      if (goals.vsRaw && vsRaw) {
        results.push(atLeast(goals.vsRaw, vsRaw, "raw"));
      }
      if (goals.vsDenoKv && vsDenoKv) {
        results.push(atLeast(goals.vsDenoKv, vsDenoKv, "Deno KV"));
      }
      if (goals.rate) {
        results.push(atLeastRate(goals.rate, spreadOf(measurement.times)));
      }
    }
    return {
      ...lineOf(measurement, subject.family),
      vsRaw,
      vsDenoKv,
      goals: results,
    };
  });
}

/** The line of a measurement alone. */
export function lineOf(
  { name, times, singles }: Measurement,
  family: Family,
  goals: readonly GoalResult[] = [],
): Line {
  return {
    subject: name,
    family,
    time: spreadOf(times),
    p99: singles.length === 0 ? undefined : p99Of(singles),
    rounds: times.filter((time) => time !== undefined).length,
    goals,
  };
}

/** What 99 of 100 numbers are below. */
export function p99Of(numbers: readonly number[]): number {
  return quantile([...numbers], 0.99);
}

function atLeast(least: number, speed: Spread, of: string): GoalResult {
  return {
    goal: `≥ ${least} × ${of}`,
    actual: formatRatio(speed),
    reached: speed.median >= least,
  };
}

function atLeastRate(least: number, { median }: Spread): GoalResult {
  return {
    goal: `≥ ${formatRate(least)}`,
    actual: formatRate(1_000 / median),
    reached: 1_000 / median >= least,
  };
}

/** A goal that some number must not pass. */
export function atMost(
  goal: string,
  most: number,
  value: number,
  actual: string,
): GoalResult {
  return { goal, actual, reached: value <= most };
}

/** A time with as many digits as say something, and its unit. */
export function formatTime(ms: number): string {
  if (ms < 0.001) return `${digits(ms * 1e6)} ns`;
  if (ms < 1) return `${digits(ms * 1_000)} µs`;
  return ms < 1_000 ? `${digits(ms)} ms` : `${digits(ms / 1_000)} s`;
}

/** How many in a second. */
export function formatRate(perSecond: number): string {
  const rounded = Number(perSecond.toPrecision(3));
  return `${Math.round(rounded).toLocaleString("en").replaceAll(",", " ")}/s`;
}

/** A ratio with its spread. */
export function formatRatio({ median, low, high }: Spread): string {
  return `${digits(median)} [${digits(low)}–${digits(high)}]`;
}

/** Three digits. */
export function digits(number: number): string {
  if (number >= 100) return String(Math.round(number));
  return number.toFixed(number >= 10 ? 1 : 2);
}
