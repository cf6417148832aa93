/**
 * Callers that make random calls on a store, and write the trace of them.
 *
 * @module
 */
import { Random } from "../random.ts";
import { type HistoryStore, perform, randomCall, Sight } from "./perform.ts";
import type { TraceWriter } from "./trace.ts";

/** Who calls, and how much. */
export interface CallersOptions {
  /** Begins the calls' ids: a name that no other callers of the history have. */
  readonly name: string;
  readonly seed: string;
  /** How many calls may be under way at once. */
  readonly callers: number;
  /** How many calls they make together. */
  readonly calls: number;
}

/** Makes calls; resolves when all are answered. */
export async function makeCalls(
  store: HistoryStore,
  trace: TraceWriter,
  { name, seed, callers, calls }: CallersOptions,
  onAnswer?: (answered: number) => void,
): Promise<void> {
  const random = new Random(seed);
  const seen = new Sight();
  let called = 0;
  let answered = 0;
  const makeSome = async () => {
    while (called < calls) {
      const id = `${name}.${++called}`;
      const call = randomCall(random, id, seen);
      trace.call(id, call);
      const answer = await perform(store, call);
      trace.answer(id, answer);
      seen.see(call, answer);
      onAnswer?.(++answered);
    }
  };
  await Promise.all(Array.from({ length: callers }, makeSome));
}
