/**
 * The spans and metrics of commits, and of the events of watches.
 *
 * A commit carries the writes of several callers. Its span is a child of the
 * first write's span, so that a sampler keeps both or neither. It has a link to
 * the span of each write.
 *
 * @module
 */
import {
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  trace,
} from "@opentelemetry/api";
import type { StoredChange } from "../engine/entries.ts";
import type { BatchEnd, ObservedBatch, Observer } from "../engine/observer.ts";
import {
  BATCH_SIZE,
  COLLECTION,
  ERROR_TYPE,
  errorTypeOf,
  LOCK_WAIT,
  OPERATION,
} from "./attributes.ts";
import { secondsSince } from "./instruments.ts";
import { activeCall, Call, failSpan, type Telemetry } from "./telemetry.ts";

/** Observes a store with a tracer and instruments. */
export class StoreObserver implements Observer {
  readonly #telemetry: Telemetry;

  /** Takes the tracer, the instruments and their settings. */
  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  called(): Call | undefined {
    return activeCall();
  }

  batch(call: unknown): ObservedBatch {
    return new Batch(this.#telemetry, call instanceof Call ? call : undefined);
  }

  given({ kind, time }: StoredChange): void {
    if (!time) return;
    const { instruments, attributes } = this.#telemetry;
    instruments.watchLag.record(
      secondsSince(time),
      { ...attributes, [COLLECTION]: kind },
    );
  }
}

class Batch implements ObservedBatch {
  readonly #telemetry: Telemetry;
  readonly #span: Span | undefined;
  readonly #context: Context;
  readonly #since = performance.now();

  /** Begins the span if the first write belongs to a traced call. */
  constructor(telemetry: Telemetry, first: Call | undefined) {
    this.#telemetry = telemetry;
    this.#span = first && telemetry.tracer.startSpan(
      "commit",
      {
        // Only the spans of operations are client calls, so that each call
        // counts once.
        kind: SpanKind.INTERNAL,
        attributes: { ...telemetry.attributes, [OPERATION]: "commit" },
      },
      first.context,
    );
    // The queue runs in the context of the call that started it, which may be
    // unrelated to this batch.
    this.#context = first && this.#span
      ? trace.setSpan(first.context, this.#span)
      : ROOT_CONTEXT;
  }

  run<T>(work: () => T): T {
    return context.with(this.#context, work);
  }

  end(end: BatchEnd): void {
    this.#endSpan(end);
    this.#record(end);
  }

  #endSpan({ writes, lockWait, error }: BatchEnd): void {
    for (const { write, call } of writes) {
      if (!(call instanceof Call)) continue;
      this.#span?.addLink({ context: call.span.spanContext() });
      if (error === undefined) call.addChanges(write.size());
    }
    const span = this.#span;
    if (!span) return;
    if (writes.length > 1) span.setAttribute(BATCH_SIZE, writes.length);
    if (lockWait !== undefined) span.setAttribute(LOCK_WAIT, lockWait / 1000);
    if (error !== undefined) {
      failSpan(span, error, this.#telemetry.details);
    }
    span.end();
  }

  #record({ writes, lockWait, error }: BatchEnd): void {
    const { instruments, attributes: common } = this.#telemetry;
    const attributes = error === undefined
      ? common
      : { ...common, [ERROR_TYPE]: errorTypeOf(error) };
    if (lockWait !== undefined) {
      instruments.lockWait.record(lockWait / 1000, attributes, this.#context);
    }
    // A write without changes only asks for the newest revision.
    const count = writes.filter(({ write }) => write.size() > 0).length;
    if (count === 0) return;
    const seconds = (performance.now() - this.#since) / 1000;
    instruments.commitDuration.record(seconds, attributes, this.#context);
    instruments.commitWrites.record(count, attributes, this.#context);
  }
}
