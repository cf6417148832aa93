/**
 * The spans and durations of a store's operations.
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

/** The settings that the spans and metrics of one store share. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly instruments: Instruments;
  /** The attributes of every span and every metric. */
  readonly attributes: Attributes;
  /** The kind of the operations' spans: internal for a store in memory, which has no client. */
  readonly kind: SpanKind.CLIENT | SpanKind.INTERNAL;
  /** Whether spans contain keys and the messages of errors, which may quote keys and values. */
  readonly details: boolean;
}

/** The target of an operation. */
export interface Target {
  readonly kind?: string;
  readonly key?: string;
}

const CALL = createContextKey("The call of an operation of @zestor/store");

/** The traced call that runs now, if any. */
export function activeCall(): Call | undefined {
  return context.active().getValue(CALL) as Call | undefined;
}

/** A call of an operation, until it ends. */
export class Call {
  /** The context of the call's work. Its span is active there. */
  readonly context: Context;
  readonly span: Span;
  readonly #telemetry: Telemetry;
  /** The attributes of its metric. Its span has more. */
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
    // Without a tracer, the context stays as it is.
    this.context = isSpanContextValid(this.span.spanContext())
      ? trace.setSpan(active, this.span).setValue(CALL, this)
      : active;
  }

  /** Runs a part of the call's work in its context. */
  run<T>(work: () => T): T {
    return context.with(this.context, work);
  }

  /** Counts committed changes of the call. */
  addChanges(count: number): void {
    this.#changes += count;
  }

  /** Ends the call as successful. Only the first end counts. */
  end(): void {
    this.#end(this.#attributes);
  }

  /** Ends the call as failed. */
  fail(error: unknown): void {
    if (this.#isEnded) return;
    failSpan(this.span, error, this.#telemetry.details);
    this.#end({ ...this.#attributes, [ERROR_TYPE]: errorTypeOf(error) });
  }

  #end(attributes: Attributes): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    // In the conventions, a batch has at least two operations.
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
