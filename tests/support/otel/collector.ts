/**
 * A collector of OpenTelemetry on this machine: it takes what a process exports
 * by OTLP over HTTP, as JSON
 * (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
 *
 * @module
 */

/** A span as it was exported. */
export interface ExportedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  /** Absent if there are none. */
  readonly links?: readonly { readonly spanId: string }[];
  readonly attributes: Record<string, unknown>;
}

/** What a collector was sent so far. */
export interface Collector extends AsyncDisposable {
  /** The variables of a process that exports to it. */
  readonly env: Record<string, string>;
  readonly spans: readonly ExportedSpan[];
  /** The units of the metrics, by name. */
  readonly units: ReadonlyMap<string, string>;
  /** Resolves when what was sent is enough. */
  until(isEnough: () => boolean): Promise<void>;
}

/** Starts a collector. */
export function startCollector(): Collector {
  const spans: ExportedSpan[] = [];
  const units = new Map<string, string>();
  let news = Promise.withResolvers<void>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { resourceSpans = [], resourceMetrics = [] } = await request
        .json() as Export;
      for (const { scopeSpans } of resourceSpans) {
        for (const { attributes, ...span } of scopeSpans.flatMap(spansOf)) {
          spans.push({ ...span, attributes: recordOf(attributes) });
        }
      }
      for (const { scopeMetrics } of resourceMetrics) {
        for (const { metrics } of scopeMetrics) {
          for (const { name, unit } of metrics) units.set(name, unit);
        }
      }
      news.resolve();
      news = Promise.withResolvers();
      return Response.json({});
    },
  );
  return {
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_METRIC_EXPORT_INTERVAL: "50",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    },
    spans,
    units,
    async until(isEnough) {
      while (!isEnough()) await news.promise;
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

interface Attribute {
  readonly key: string;
  /** Its only property is named after the type. */
  readonly value: Record<string, unknown>;
}

type Span = Omit<ExportedSpan, "attributes"> & {
  readonly attributes: readonly Attribute[];
};

interface Export {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly unit: string;
      }[];
    }[];
  }[];
}

function spansOf({ spans }: { readonly spans: readonly Span[] }) {
  return spans;
}

function recordOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
  );
}
