/**
 * OpenTelemetry for a store: spans of its operations and commits, and metrics,
 * through `npm:@opentelemetry/api`. Only this module loads that package.
 *
 * ```ts
 * import { openStore } from "@zestor/store";
 * import { instrument } from "@zestor/store/otel";
 *
 * await using store = instrument(await openStore({ path: ":memory:" }));
 * await store.set("users", "alice", { name: "Alice" });
 * ```
 *
 * With `OTEL_DENO=true`, Deno exports them without further setup. If the program
 * registers providers itself, as on Node.js, it must do so before this call.
 *
 * @module
 */
import {
  type Attributes,
  type MeterProvider,
  metrics,
  SpanKind,
  trace,
  type TracerProvider,
} from "@opentelemetry/api";
import config from "../../deno.json" with { type: "json" };
import { describe } from "../base/messages.ts";
import {
  boolean,
  isRecord,
  type OptionsSpec,
  type Reader,
  readOptions,
} from "../base/options.ts";
import type { Store } from "../contract/store.ts";
import { inspectionOf } from "../store/inspection.ts";
import { attributesOf } from "./attributes.ts";
import { StoreObserver } from "./batches.ts";
import { instrumentsOf } from "./instruments.ts";
import { replace, traceStore } from "./operations.ts";
import type { Telemetry } from "./telemetry.ts";

/** Options of {@linkcode instrument}. */
export interface InstrumentOptions {
  /**
   * Attributes of every span and metric, in addition to the store's own. They
   * replace store attributes of the same name. Use few values: each combination
   * makes a separate metric.
   */
  attributes?: Attributes;
  /**
   * Whether spans contain the key (`zestor.key`) and the messages of errors, which
   * may quote keys and values. Metrics never contain them.
   * @default {false}
   */
  details?: boolean;
  /** The provider that receives spans. @default {the registered provider} */
  tracerProvider?: TracerProvider;
  /** The provider that receives metrics. @default {the provider that is registered at the call} */
  meterProvider?: MeterProvider;
}

/** Accepts an object that has a method. */
function having<T>(method: string): Reader<T> {
  return (action, name, value) => {
    // A provider may be a class with static methods, as in Deno.
    const methods = value as Record<string, unknown> | null;
    if (typeof methods?.[method] === "function") return value as T;
    throw new TypeError(
      `Cannot ${action}: "${name}" must have a method "${method}", received ${
        describe(value)
      }`,
    );
  };
}

const attributes: Reader<Attributes> = (action, name, value) => {
  if (isRecord(value)) return { ...value } as Attributes;
  throw new TypeError(
    `Cannot ${action}: "${name}" must be an object, received ${
      describe(value)
    }`,
  );
};

const INSTRUMENT = {
  attributes,
  details: boolean,
  tracerProvider: having<TracerProvider>("getTracer"),
  meterProvider: having<MeterProvider>("getMeter"),
} satisfies OptionsSpec<InstrumentOptions>;

/** The instrumentation scope: the name and version of this package. */
const SCOPE = { name: config.name, version: config.version };

/**
 * Makes a store send spans and metrics to OpenTelemetry until it is closed. Call
 * it once, before the store is used: watches that have already begun are not
 * measured.
 *
 * @typeParam S The type of the store.
 * @param store A store that this copy of the package opened.
 * @param options The content of spans and metrics, and their providers.
 * @returns The same store.
 * @throws {TypeError} If another copy of the package opened the store, or if it
 * is instrumented already.
 *
 * @example
 * ```ts
 * import { openMemoryStore } from "@zestor/store/memory";
 * import { instrument } from "@zestor/store/otel";
 * import { assertEquals } from "@std/assert";
 *
 * await using store = instrument(
 *   await openMemoryStore<{ users: { name: string } }>(),
 *   { attributes: { "db.namespace": "sessions" } },
 * );
 * await store.set("users", "alice", { name: "Alice" }); // span "set users"
 * assertEquals(await store.count("users"), 1); // span "count users"
 * ```
 */
export function instrument<S extends Store>(
  store: S,
  options?: InstrumentOptions,
): S {
  const action = "instrument the store";
  const given = readOptions(action, options, INSTRUMENT);
  const inspection = inspectionOf(store);
  if (!inspection) {
    throw new TypeError(
      `Cannot ${action}: expected a store that this copy of @zestor/store opened, received ${
        describe(store)
      }`,
    );
  }
  if (inspection.observer) {
    throw new TypeError(
      `Cannot ${action}: it is instrumented already; call instrument() once, where the store is opened`,
    );
  }
  const { place } = inspection;
  const tracers = given.tracerProvider ?? trace;
  const meters = given.meterProvider ?? metrics.getMeterProvider();
  const telemetry: Telemetry = {
    tracer: tracers.getTracer(SCOPE.name, SCOPE.version),
    instruments: instrumentsOf(meters, SCOPE),
    attributes: { ...attributesOf(place), ...given.attributes },
    kind: place.engine === "memory" ? SpanKind.INTERNAL : SpanKind.CLIENT,
    details: given.details ?? false,
  };
  inspection.observer = new StoreObserver(telemetry);
  traceStore(store, telemetry);
  const forget = telemetry.instruments.observe(
    inspection,
    telemetry.attributes,
  );
  replace(store, "close", (close) => () => {
    forget();
    return close();
  });
  return store;
}
