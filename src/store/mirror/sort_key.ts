/**
 * The results of `sortBy`, and their order, which is total for all values.
 *
 * @module
 */
import { describe, quoteText } from "../../base/messages.ts";
import { compareKeys } from "../../keys/key_order.ts";

/** A sort key as it is stored. Nobody else can change it. */
export type Sorted =
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Moment
  | readonly Sorted[];

/** A date. */
interface Moment {
  readonly time: number;
}

/**
 * The result of `sortBy`, to be stored. Throws a `TypeError` for an invalid
 * one.
 */
export function sortedOf(kind: string, key: string, given: unknown): Sorted {
  switch (typeof given) {
    case "undefined":
    case "boolean":
    case "number":
    case "bigint":
    case "string":
      return given;
  }
  if (given === null) return undefined;
  if (given instanceof Date) return { time: given.getTime() };
  if (Array.isArray(given)) {
    return given.map((part) => sortedOf(kind, key, part));
  }
  throw new TypeError(
    `Cannot mirror kind ${
      quoteText(kind)
    }: "sortBy" returns text, a number, a boolean, a date or an array of them, received ${
      describe(given)
    } for ${quoteText(key)}`,
  );
}

/**
 * Compares two sort keys. The result is negative, zero or positive, as for
 * `sort`.
 */
export function compareSorted(a: Sorted, b: Sorted): number {
  if (typeof a === "number" && typeof b === "number") {
    return compareNumbers(a, b);
  }
  const rank = rankOf(a);
  const difference = rank - rankOf(b);
  if (difference !== 0 || rank === 0) return difference;
  if (typeof a === "string") return compareKeys(a, b as string);
  if (Array.isArray(a)) return compareArrays(a, b as readonly Sorted[]);
  if (typeof a === "object") {
    return compareNumbers((a as Moment).time, (b as Moment).time);
  }
  return compareNumbers(a as number, b as number);
}

const RANKS: Record<string, number> = {
  undefined: 0,
  boolean: 1,
  number: 2,
  bigint: 2,
  object: 3,
  string: 4,
};

function rankOf(value: Sorted): number {
  return Array.isArray(value) ? 5 : RANKS[typeof value];
}

/** `NaN` is the least number, so that every number has its place. */
function compareNumbers(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === a && b === b) return 0;
  return Number(b !== b) - Number(a !== a);
}

function compareArrays(
  a: readonly Sorted[],
  b: readonly Sorted[],
): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareSorted(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
