/**
 * Rows that compare ways to do the same work with the simplest one, on each
 * driver.
 *
 * @module
 */
import type { Measurement } from "../measure.ts";
import { speedOf } from "../measure.ts";
import { type Line, lineOf } from "../results.ts";
import type { Family } from "../subjects/subject.ts";

/** Lines of measurements in groups. Each is compared with the first of its group. */
export function groupedLines(
  measurements: readonly Measurement[],
  size: number,
  heading: string,
  familyOf: (name: string) => Family = () => "store",
): Line[] {
  return measurements.map((measurement, i) => {
    const line = lineOf(measurement, familyOf(measurement.name));
    if (i % size === 0) return line;
    const plain = measurements[i - i % size];
    return { ...line, ratios: { [heading]: speedOf(plain, measurement) } };
  });
}
