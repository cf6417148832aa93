/**
 * Traces the operations of a store. It replaces the methods of this one object,
 * so a store that is not instrumented has no extra cost.
 *
 * @module
 */
import { Call, type Target, type Telemetry } from "./telemetry.ts";
import { tracedStream } from "./traced_stream.ts";

type Method = (...args: unknown[]) => unknown;

/** Reads the target of an operation from its arguments. */
type TargetOf = (...args: unknown[]) => Target;

const onEntry: TargetOf = (kind, key) => ({ ...onKind(kind), key: text(key) });
const onKind: TargetOf = (kind) => ({ kind: text(kind) });
const onStore: TargetOf = () => ({});

/** An argument if it is text. The operation itself refuses wrong arguments. */
function text(argument: unknown): string | undefined {
  return typeof argument === "string" ? argument : undefined;
}

const READS: Record<string, TargetOf> = {
  get: onEntry,
  has: onEntry,
  entry: onEntry,
  getMany: onKind,
  list: onKind,
  keys: onKind,
  values: onKind,
  count: onKind,
  kinds: onStore,
  getAll: onStore,
};

/** The reads that return streams. */
const STREAMED_READS: Record<string, TargetOf> = {
  entries: onKind,
  export: onStore,
};

/** The operations that only a store has. Some stores lack some of them. */
const OPERATIONS: Record<string, TargetOf> = {
  set: onEntry,
  update: onEntry,
  delete: onEntry,
  setAll: onKind,
  deleteAll: onKind,
  waitFor: onEntry,
  mirror: onKind,
  import: onStore,
  verify: onStore,
  backup: onStore,
  compact: onStore,
  info: onStore,
};

/** Makes a span for every operation of a store. */
export function traceStore(store: object, telemetry: Telemetry): void {
  traceReads(store, telemetry);
  traceEach(store, OPERATIONS, telemetry);
  replace(store, "history", streamed("history", onEntry, telemetry));
  const snapshot = awaited("snapshot", onStore, telemetry);
  replace(store, "snapshot", (original) => {
    const traced = snapshot(original);
    return async (...args) => {
      const taken = await traced(...args) as object;
      traceReads(taken, telemetry);
      return taken;
    };
  });
  replace(store, "atomic", (original) => (...args) => {
    const builder = original(...args) as object;
    replace(builder, "commit", awaited("atomic", onStore, telemetry));
    return builder;
  });
}

function traceReads(reads: object, telemetry: Telemetry): void {
  traceEach(reads, READS, telemetry);
  for (const [name, targetOf] of Object.entries(STREAMED_READS)) {
    replace(reads, name, streamed(name, targetOf, telemetry));
  }
}

function traceEach(
  object: object,
  operations: Record<string, TargetOf>,
  telemetry: Telemetry,
): void {
  for (const [name, targetOf] of Object.entries(operations)) {
    replace(object, name, awaited(name, targetOf, telemetry));
  }
}

/** Replaces a method of one object, if the object has it. */
export function replace(
  object: object,
  name: string,
  wrap: (original: Method) => Method,
): void {
  const methods = object as Record<string, Method | undefined>;
  const original = methods[name]?.bind(object);
  if (!original) return;
  const value = wrap(original);
  Object.defineProperty(object, name, {
    value,
    writable: true,
    configurable: true,
  });
}

/** Traces a method that returns a promise. */
function awaited(name: string, targetOf: TargetOf, telemetry: Telemetry) {
  return (original: Method) => async (...args: unknown[]) => {
    const call = new Call(telemetry, name, targetOf(...args));
    try {
      const result = await call.run(() => original(...args));
      call.end();
      return result;
    } catch (error) {
      call.fail(error);
      throw error;
    }
  };
}

/** Traces a method that returns a stream. */
function streamed(name: string, targetOf: TargetOf, telemetry: Telemetry) {
  return (original: Method) => (...args: unknown[]) => {
    const call = new Call(telemetry, name, targetOf(...args));
    try {
      const stream = call.run(() => original(...args));
      return tracedStream(stream as ReadableStream<unknown>, call);
    } catch (error) {
      call.fail(error);
      throw error;
    }
  };
}
