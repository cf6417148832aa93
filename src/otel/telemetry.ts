/**
 * The spans of a store's operations, and how long they take.
 *
 * @module
 */
import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  isSpanContextValid,
  type Span,
  type SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import {
  BATCH_SIZE,
  COLLECTION,
  ERROR_TYPE,
  errorTypeOf,
  KEY,
  OPERATION,
} from "./attributes.ts";
import type { Instruments } from "./instruments.ts";

/** What the spans and metrics of one store have in common. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly instruments: Instruments;
  /** Those that every span and every metric has. */
  readonly attributes: Attributes;
  /** That of operations: a store in this process's memory has no client. */
  readonly kind: SpanKind.CLIENT | SpanKind.INTERNAL;
  /** Whether spans tell keys, and messages of errors, which may quote keys and values. */
  readonly details: boolean;
}

/** What an operation is on. */
export interface Target {
  readonly kind?: string;
  readonly key?: string;
}

const CALL = createContextKey("The call of an operation of @zestor/store");

/** The call that runs, if there is one. */
export function activeCall(): Call | undefined {
  return context.active().getValue(CALL) as Call | undefined;
}

/** A call of an operation, until it ends. */
export class Call {
  /** Where what the call does runs: its span is active there. */
  readonly context: Context;
  readonly span: Span;
  readonly #telemetry: Telemetry;
  /** Those of its metric; its span has more. */
  readonly #attributes: Attributes;
  readonly #since = performance.now();
  #changes = 0;
  #isEnded = false;

  /** Begins the span of an operation, as a child of the active one. */
  constructor(telemetry: Telemetry, operation: string, { kind, key }: Target) {
    const { tracer, details, attributes } = telemetry;
    this.#telemetry = telemetry;
    this.#attributes = { ...attributes, [OPERATION]: operation };
    if (kind !== undefined) this.#attributes[COLLECTION] = kind;
    const told = details && key !== undefined ? { [KEY]: key } : {};
    const active = context.active();
    this.span = tracer.startSpan(
      kind === undefined ? operation : `${operation} ${kind}`,
      {
        kind: telemetry.kind,
        attributes: { ...this.#attributes, ...told },
      },
      active,
    );
    // If nobody traces, the context stays as it is.
    this.context = isSpanContextValid(this.span.spanContext())
      ? trace.setSpan(active, this.span).setValue(CALL, this)
      : active;
  }

  /** Runs a part of what the call does. */
  run<T>(work: () => T): T {
    return context.with(this.context, work);
  }

  /** Notes changes that were committed for it. */
  addChanges(count: number): void {
    this.#changes += count;
  }

  /** The call has ended well. Only the first end counts. */
  end(): void {
    this.#end(this.#attributes);
  }

  /** The call has failed. */
  fail(error: unknown): void {
    if (this.#isEnded) return;
    failSpan(this.span, error, this.#telemetry.details);
    this.#end({ ...this.#attributes, [ERROR_TYPE]: errorTypeOf(error) });
  }

  #end(attributes: Attributes): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    // One is no batch, say the conventions.
    if (this.#changes > 1) this.span.setAttribute(BATCH_SIZE, this.#changes);
    this.span.end();
    const seconds = (performance.now() - this.#since) / 1000;
    this.#telemetry.instruments.operationDuration.record(
      seconds,
      attributes,
      this.context,
    );
  }
}

/** Marks a span as failed. */
export function failSpan(span: Span, error: unknown, details: boolean): void {
  span.setAttribute(ERROR_TYPE, errorTypeOf(error));
  if (!details || !(error instanceof Error)) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    return;
  }
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  span.recordException(error);
}
