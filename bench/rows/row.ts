/**
 * A row of the benchmark.
 *
 * @module
 */
import type { Plan } from "../measure.ts";
import type { RowResult } from "../results.ts";
import type { Binding } from "../subjects/binding.ts";
import type { DriverName } from "../subjects/store.ts";
import type { Subject } from "../subjects/subject.ts";
import type { BigFile } from "./big_file.ts";

/** The means to measure rows. */
export interface Bench {
  readonly subjects: readonly Subject[];
  /** The binding of each driver that is measured. */
  readonly bindings: ReadonlyMap<DriverName, Binding>;
  readonly plan: Plan;
  /**
   * Files with many entries, from the smallest to the largest. They are made
   * once for each driver, because two copies of SQLite in one process must not
   * share a file.
   */
  bigFiles(driver: DriverName): Promise<readonly BigFile[]>;
  /** Makes an empty folder, which is removed at the end. */
  makeFolder(): Promise<string>;
}

/** A row: one piece of work, measured for all subjects that can do it. */
export interface Row {
  readonly name: string;
  measure(bench: Bench): Promise<RowResult>;
}

/** Smaller numbers, each once. */
export function scaled(numbers: readonly number[], scale: number): number[] {
  return [...new Set(numbers.map((number) => Math.ceil(number * scale)))];
}
