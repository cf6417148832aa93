/**
 * Interleaved rounds. All contenders of a row are warmed up first. Then each
 * does the same work in each round, in a changing order. Other load on the
 * machine affects all of them, so the ratio in a round means more than a time.
 *
 * @module
 */
import { medianSorted, quantileSorted } from "simple-statistics";
import type { Random } from "../tests/support/random.ts";
import { isPromise, type MaybePromise } from "./subjects/subject.ts";

/** How long and how often to measure. */
export interface Plan {
  /** The number of rounds. */
  readonly rounds: number;
  /** How long a batch should take, in ms. */
  readonly batch: number;
  /** How long each is warmed up, in ms. */
  readonly warmUp: number;
  /** The largest time of a contender in a row, in ms. A slow one gets fewer rounds. */
  readonly budget: number;
  /** The number of operations that are timed one by one. */
  readonly singles: number;
  /** Decides the order in a round. */
  readonly random: Random;
}

/** A plan for writes, which take much longer when they wait for a disk. */
export function longer(plan: Plan): Plan {
  return { ...plan, batch: 4 * plan.batch };
}

/** A contender for a row's work. */
export interface Contender {
  readonly name: string;
  /** Does the operation. `n` differs each time. */
  operate(n: number): MaybePromise<unknown>;
  /** How many reported units one operation counts for. @default {1} */
  readonly weight?: number;
  /** Prepares what a batch needs, untimed. */
  before?(): MaybePromise<unknown>;
  /** Undoes it, untimed. */
  after?(): MaybePromise<unknown>;
}

/** The measurement of a contender. */
export interface Measurement {
  readonly name: string;
  /** ms for each operation, by round. A round without the contender has none. */
  readonly times: readonly (number | undefined)[];
  /** ms of operations that were timed one by one, sorted. */
  readonly singles: readonly number[];
}

/** A median, with the 10th and the 90th percentile. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** How the operations of a row are grouped. */
export interface Grouping {
  /** How many operations a batch has. Without it, as many as take `batch` ms. */
  readonly batchSize?: number;
  /** How many are timed one by one, besides. Without it, as the plan says. */
  readonly singles?: number;
}

/** The least useful number of rounds. */
const FEWEST_ROUNDS = 3;

/** Measures contenders side by side. */
export async function measure(
  contenders: readonly Contender[],
  plan: Plan,
  { batchSize, singles = plan.singles }: Grouping = {},
): Promise<Measurement[]> {
  const { rounds, batch, budget, random } = plan;
  const lanes: Lane[] = [];
  for (const contender of contenders) {
    const lane = new Lane(contender);
    await lane.warmUp(plan, batchSize);
    lanes.push(lane);
  }
  const singlesPerRound = Math.ceil(singles / rounds);
  for (let round = 0; round < rounds; round++) {
    for (const lane of shuffled(lanes, random)) {
      if (round >= FEWEST_ROUNDS && lane.spent > budget) {
        lane.times.push(undefined);
        continue;
      }
      await lane.runBatch();
      if (singles > 0) await lane.runSingles(singlesPerRound, batch);
    }
  }
  return lanes.map(({ contender, times, singles }) => ({
    name: contender.name,
    times,
    singles: singles.toSorted((a, b) => a - b),
  }));
}

/** The median and the spread of numbers, some of which may be missing. */
export function spreadOf(numbers: readonly (number | undefined)[]): Spread {
  const sorted = numbers.filter((n) => n !== undefined)
    .toSorted((a, b) => a - b);
  return {
    median: medianSorted(sorted),
    low: quantileSorted(sorted, 0.1),
    high: quantileSorted(sorted, 0.9),
  };
}

/** The speed of one contender relative to another, by round. */
export function speedOf(one: Measurement, other: Measurement): Spread {
  return spreadOf(one.times.map((time, round) => {
    const base = other.times[round];
    return time === undefined || base === undefined ? undefined : base / time;
  }));
}

/** The state of a contender. */
class Lane {
  readonly contender: Contender;
  readonly times: (number | undefined)[] = [];
  readonly singles: number[] = [];
  /** ms in batches so far. */
  spent = 0;
  readonly #weight: number;
  #isAsync = false;
  #batchSize = 1;
  #next = 0;
  /** ms that the last batch took. */
  #last = 0;

  constructor(contender: Contender) {
    this.contender = contender;
    this.#weight = contender.weight ?? 1;
  }

  async warmUp(
    { batch, warmUp }: Plan,
    batchSize: number | undefined,
  ): Promise<void> {
    await this.contender.before?.();
    const first = this.contender.operate(this.#next++);
    this.#isAsync = isPromise(first);
    await first;
    await this.contender.after?.();
    this.#batchSize = batchSize ?? 1;
    if (batchSize !== undefined) return;
    let time = await this.#time(1);
    for (let warm = 0; warm < warmUp; warm += time) {
      // Not at once, because the first batch may have been slow by chance.
      const wanted = Math.max(1, Math.round(this.#batchSize * batch / time));
      this.#batchSize = Math.min(wanted, 4 * this.#batchSize);
      time = await this.#time(this.#batchSize);
    }
  }

  async runBatch(): Promise<void> {
    const time = await this.#time(this.#batchSize);
    this.spent += time;
    this.#last = time;
    this.times.push(time / this.#batchSize / this.#weight);
  }

  async runSingles(count: number, most: number): Promise<void> {
    if (this.#batchSize === 1) {
      // The batch had one operation already.
      this.singles.push(this.#last);
      return;
    }
    for (let spent = 0; count > 0 && spent < most; count--) {
      const time = await this.#time(1);
      this.singles.push(time);
      spent += time;
    }
  }

  async #time(count: number): Promise<number> {
    await this.contender.before?.();
    const start = performance.now();
    // A synchronous operation must not wait for a microtask each time.
    if (this.#isAsync) await this.#runAsync(count);
    else this.#run(count);
    const time = performance.now() - start;
    await this.contender.after?.();
    return time;
  }

  #run(count: number): void {
    const { contender } = this;
    for (let i = 0; i < count; i++) contender.operate(this.#next++);
  }

  async #runAsync(count: number): Promise<void> {
    const { contender } = this;
    for (let i = 0; i < count; i++) await contender.operate(this.#next++);
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0]);
}
