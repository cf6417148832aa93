/**
 * Durations in human form: a number and a unit, such as `500ms` or `10m`. All
 * options with a duration use this.
 *
 * @module
 */
import { message, text } from "@optique/core/message";
import type { ValueParser } from "@optique/core/valueparser";
import { quoteText } from "../base/messages.ts";

/** The ms of each unit. */
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const EXAMPLES = "500ms, 10s, 10m, 2h or 7d";

/** The whole ms of a duration. Throws a `RangeError` if it is not a duration, or longer than `most`. */
export function parseDuration(duration: string, most: number): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([a-zµ]*)$/i.exec(duration) ?? [];
  if (digits === undefined) {
    throw new RangeError(
      `Expected a duration such as ${EXAMPLES}, got ${quoteText(duration)}`,
    );
  }
  if (!Object.hasOwn(UNITS, unit)) {
    const problem = unit === ""
      ? "has no unit"
      : `has the unknown unit ${quoteText(unit)}`;
    throw new RangeError(
      `The duration ${quoteText(duration)} ${problem}; the units are ${
        Object.keys(UNITS).join(", ")
      }`,
    );
  }
  const ms = Math.ceil(Number(digits) * UNITS[unit]);
  if (ms === 0) {
    throw new RangeError(
      `The duration ${quoteText(duration)} is 0; give a longer one`,
    );
  }
  if (ms <= most) return ms;
  throw new RangeError(
    `The duration ${quoteText(duration)} is too long; give at most ${
      formatDuration(most)
    }`,
  );
}

/** A duration in the largest unit that divides it. */
export function formatDuration(ms: number): string {
  const [unit, size] = Object.entries(UNITS)
    .findLast(([, size]) => ms % size === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}

/** A parser of durations. The result is in ms, and `most` is the longest, in ms. */
export function durationParser(most: number): ValueParser<"sync", number> {
  return {
    mode: "sync",
    metavar: "DURATION",
    placeholder: 0,
    format: formatDuration,
    parse(duration) {
      try {
        return { success: true, value: parseDuration(duration, most) };
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return { success: false, error: message`${text(error.message)}` };
      }
    },
  };
}
