/**
 * The metrics. Their units are those of UCUM (https://ucum.org), as OpenTelemetry
 * requires: times are in seconds.
 *
 * @module
 */
import type {
  Attributes,
  BatchObservableCallback,
  Histogram,
  Meter,
  MeterProvider,
  Observable,
} from "@opentelemetry/api";
import { ALL_KEYS } from "../keys/key_range.ts";
import type { Inspection } from "../store/inspection.ts";

/** The buckets that the conventions give for `db.client.operation.duration`, in s. */
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
/** The buckets of commits, which take less than 1 ms in a file. */
const FINE_SECONDS = [0.0001, 0.0005, ...SECONDS];
/** The buckets of the watch lag. A watch that resumes gives old changes. */
const LAG_SECONDS = [...SECONDS, 60, 600, 3600, 86_400];
const WRITES = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** The instruments of one provider, which all stores share. */
export class Instruments {
  readonly operationDuration: Histogram;
  readonly commitDuration: Histogram;
  readonly commitWrites: Histogram;
  readonly lockWait: Histogram;
  readonly watchLag: Histogram;
  readonly #meter: Meter;
  readonly #watches: Observable;
  readonly #reach: Observable;
  readonly #age: Observable;

  /** Creates the instruments with a meter. */
  constructor(meter: Meter) {
    const histogram = (
      name: string,
      unit: string,
      explicitBucketBoundaries: number[],
      description: string,
    ) =>
      meter.createHistogram(name, {
        unit,
        description,
        advice: { explicitBucketBoundaries },
      });
    this.#meter = meter;
    this.operationDuration = histogram(
      "db.client.operation.duration",
      "s",
      SECONDS,
      "Duration of database client operations.",
    );
    this.commitDuration = histogram(
      "zestor.commit.duration",
      "s",
      FINE_SECONDS,
      "Duration of commits, from the first try on.",
    );
    this.commitWrites = histogram(
      "zestor.commit.writes",
      "{write}",
      WRITES,
      "Writes that shared a commit.",
    );
    this.lockWait = histogram(
      "zestor.lock.wait.duration",
      "s",
      SECONDS,
      "Duration of waits for the lock of another writer.",
    );
    this.watchLag = histogram(
      "zestor.watch.lag",
      "s",
      LAG_SECONDS,
      "Time from a change until a watch gives its event.",
    );
    this.#watches = meter.createObservableUpDownCounter("zestor.watch.count", {
      unit: "{watch}",
      description: "Watches that are open.",
    });
    this.#reach = meter.createObservableGauge("zestor.log.reach", {
      unit: "{revision}",
      description: "Revisions back that a watch can resume from.",
    });
    this.#age = meter.createObservableGauge("zestor.log.age", {
      unit: "s",
      description: "Age of the oldest change in the change log.",
    });
  }

  /** Observes a store whenever metrics are collected, until the returned function is called. */
  observe(inspection: Inspection, attributes: Attributes): () => void {
    const observables = [this.#watches, this.#reach, this.#age];
    const callback: BatchObservableCallback = async (result) => {
      result.observe(this.#watches, inspection.watches, attributes);
      const log = await logOf(inspection);
      if (!log) return;
      result.observe(this.#reach, log.reach, attributes);
      result.observe(this.#age, log.age, attributes);
    };
    this.#meter.addBatchObservableCallback(callback, observables);
    return () =>
      this.#meter.removeBatchObservableCallback(callback, observables);
  }
}

/** How far a change log reaches back: in revisions, and in s. */
interface LogSpan {
  readonly reach: number;
  readonly age: number;
}

/**
 * Measures the change log; `undefined` if it cannot be read now, because a
 * collection of metrics must not fail.
 */
async function logOf(
  { engine: { log }, read }: Inspection,
): Promise<LogSpan | undefined> {
  try {
    return await read("measure the change log", async () => {
      const before = await log.oldest() - 1;
      const { changes: [oldest] } = await log.read(
        { keys: ALL_KEYS, times: true },
        before,
        1,
      );
      const reach = await log.newest() - before;
      const time = oldest && "time" in oldest ? oldest.time : undefined;
      return { reach, age: time ? secondsSince(time) : 0 };
    });
  } catch {
    return undefined;
  }
}

/**
 * The time since a date, in s; 0 if the date is in the future, because the
 * clock of another machine may be ahead.
 */
export function secondsSince(time: Date): number {
  return Math.max(0, Date.now() - time.getTime()) / 1000;
}

const made = new WeakMap<MeterProvider, Instruments>();

/**
 * The instruments of a provider. They are created once, because a second
 * instrument of the same name would be a duplicate.
 */
export function instrumentsOf(
  provider: MeterProvider,
  scope: { readonly name: string; readonly version: string },
): Instruments {
  let instruments = made.get(provider);
  if (!instruments) {
    const meter = provider.getMeter(scope.name, scope.version);
    made.set(provider, instruments = new Instruments(meter));
  }
  return instruments;
}
