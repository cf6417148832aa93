/**
 * OpenTelemetry's own SDK, whose spans and metrics a test reads.
 *
 * @module
 */
import {
  type Attributes,
  context,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  type Histogram,
  MeterProvider,
  type MetricData,
  MetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

// It is one for the process: with it, spans nest.
context.setGlobalContextManager(
  new AsyncLocalStorageContextManager().enable(),
);

/**
 * A test that begins with no span. Deno calls a test in the context of whatever
 * ran before, such as the timer of an earlier one.
 */
export function rooted<Given extends unknown[]>(
  test: (...given: Given) => Promise<void>,
): (...given: Given) => Promise<void> {
  return (...given) => context.with(ROOT_CONTEXT, () => test(...given));
}

class Reader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** Keeps each span at once, unlike those that export. */
function keepingIn(spans: ReadableSpan[]): SpanProcessor {
  return {
    onStart() {},
    onEnd(span) {
      if (span.spanContext().traceFlags & TraceFlags.SAMPLED) spans.push(span);
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

/** A point of a metric. */
export interface Point {
  readonly attributes: Attributes;
  /** The number; of a histogram the sum. */
  readonly value: number;
  /** Of a histogram: how many were recorded. */
  readonly count?: number;
}

/** A metric as it was collected. */
export interface Metric {
  readonly unit: string;
  readonly points: readonly Point[];
}

/** Takes what is traced and measured. */
export class Recorder {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  readonly #spans: ReadableSpan[] = [];
  readonly #reader = new Reader();

  /** Takes how spans are sampled. @default {all} */
  constructor(sampler?: Sampler) {
    this.tracerProvider = new TracerProvider({
      sampler,
      spanProcessors: [keepingIn(this.#spans)],
    });
    this.meterProvider = new MeterProvider({ readers: [this.#reader] });
  }

  /** The spans that have ended, in this order. */
  get spans(): readonly ReadableSpan[] {
    return this.#spans;
  }

  /** The names of the spans that have ended, in their order. */
  get names(): string[] {
    return this.spans.map(({ name }) => name);
  }

  /** The only span of a name. */
  span(name: string): ReadableSpan {
    const found = this.spans.filter((span) => span.name === name);
    if (found.length === 1) return found[0];
    throw new Error(`${found.length} spans "${name}" of: ${this.names}`);
  }

  /** Forgets the spans. */
  reset(): void {
    this.#spans.length = 0;
  }

  /** The metrics of this moment, by name. */
  async metrics(): Promise<Map<string, Metric>> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw new AggregateError(errors);
    const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
    return new Map(all.map((data) => [data.descriptor.name, metricOf(data)]));
  }
}

function metricOf({ descriptor, dataPoints }: MetricData): Metric {
  const points = dataPoints.map(({ attributes, value }) => {
    if (typeof value === "number") return { attributes, value };
    const { sum, count } = value as Histogram;
    return { attributes, value: sum ?? 0, count };
  });
  return { unit: descriptor.unit, points };
}

/** The span that a span is a child of; nothing if it is a root. */
export function parentOf(span: ReadableSpan): string | undefined {
  return span.parentSpanContext?.spanId;
}

/** The identities of the spans that a span has links to. */
export function linksOf(span: ReadableSpan): string[] {
  return span.links.map(({ context }) => context.spanId);
}

/** The identity of a span. */
export function idOf(span: { spanContext(): SpanContext }): string {
  return span.spanContext().spanId;
}
