/**
 * The speed of one driver relative to the other, for each row, from lines that
 * were measured in the same rounds.
 *
 * @module
 */
import { type Measurement, speedOf, type Spread } from "./measure.ts";
import { atLeast, digits, type Goal, type RowResult } from "./results.ts";

/** The speed of one driver relative to the other in a row. */
export interface DriverSpeed {
  /** The row, and its line. */
  readonly work: string;
  readonly speed: Spread;
  /** The same for raw statements: the speed of one binding relative to the other. */
  readonly raw?: Spread;
}

/** The compared driver, and its reference. */
const ONE = "ffi";
const OTHER = "builtin";

/** The least relative speed in the worst row. */
const LEAST = 0.85;

/** The speeds, from the slowest. */
export function driverSpeeds(rows: readonly RowResult[]): DriverSpeed[] {
  return rows.flatMap(driverSpeedsOf)
    .toSorted((a, b) => a.speed.median - b.speed.median);
}

function driverSpeedsOf({ name, lines }: RowResult): DriverSpeed[] {
  const find = (subject: string) => {
    const times = lines.find((line) => line.subject === subject)?.times;
    return times && { name: subject, times, singles: [] } as Measurement;
  };
  const beside = (family: string, rest: string) => {
    const one = find(`${family} (${ONE})${rest}`);
    const other = find(`${family} (${OTHER})${rest}`);
    return one && other && speedOf(one, other);
  };
  const prefix = `store (${ONE})`;
  return lines.filter(({ subject }) => subject.startsWith(prefix))
    .flatMap(({ subject }) => {
      const rest = subject.slice(prefix.length);
      const speed = beside("store", rest);
      return speed
        ? [{ work: `${name}${rest}`, speed, raw: beside("raw", rest) }]
        : [];
    });
}

/** The goal for the worst row, with its name. Absent if only one driver was measured. */
export function driverGoal(
  rows: readonly RowResult[],
): Goal & { readonly work: string } | undefined {
  const worst = driverSpeeds(rows).at(0);
  if (!worst) return undefined;
  const { work, speed, raw } = worst;
  const limit = raw && `raw: ${digits(raw.median)}`;
  return {
    work: `worst row: ${work}`,
    ...atLeast(LEAST, speed.median, digits, ` × ${OTHER}`, limit),
  };
}
