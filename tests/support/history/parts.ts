/**
 * Parts of a history that can be judged by themselves. A history of several
 * keys has an order if that of each key has one, as long as no call is about
 * two of them. A part of a history that has an order has one too, so a part
 * without an order proves that the whole has none.
 *
 * @module
 */
import {
  type Answer,
  type Call,
  isRead,
  keysOf,
  type Operation,
} from "./calls.ts";
import { ABSENT, type State, UNKNOWN } from "./states.ts";

/** Calls on some keys, and what is known before them. */
export interface Part {
  readonly start: State;
  readonly operations: readonly Operation[];
}

/** Calls that must or may have been done: all but reads without an answer, and refused calls. */
export function effective(operations: readonly Operation[]): Operation[] {
  return operations.flatMap((operation) => {
    const { answer, call } = operation;
    if (answer && "refused" in answer) return [];
    if (answer && !("unclear" in answer)) return [operation];
    return isRead(call) ? [] : [unanswered(operation)];
  });
}

/** Splits a history, from an empty store, into those that share no key. */
export function partsOf(operations: readonly Operation[]): Part[] {
  const groups = new Map<string, string[]>();
  for (const { call } of operations) {
    const keys = keysOf(call);
    const joined = new Set(keys.map((key) => groups.get(key) ?? [key]));
    if (joined.size === 1 && groups.has(keys[0])) continue;
    const group = [...joined].flat();
    for (const key of group) groups.set(key, group);
  }
  const parts = new Map<string[], Operation[]>();
  for (const operation of operations) {
    const [first] = keysOf(operation.call);
    if (first === undefined) continue;
    const group = groups.get(first)!;
    if (!parts.has(group)) parts.set(group, []);
    parts.get(group)!.push(operation);
  }
  return [...parts].map(([keys, operations]) => ({
    start: stateOf(keys, ABSENT),
    operations,
  }));
}

/** What happened to one of a part's keys. */
export function ofKey({ start, operations }: Part, key: string): Part {
  return {
    start: { [key]: start[key] },
    operations: operations.flatMap((operation) => {
      const projected = projectOperation(operation, key);
      return projected ? [projected] : [];
    }),
  };
}

/**
 * What happened between two moments. What was answered before is left out, so
 * nothing is known of the state then. A call that was under way at one of the
 * two moments may have had its effect, or not.
 */
export function between(part: Part, first: number, last: number): Part {
  const operations = part.operations.flatMap((operation) => {
    const { from, to, call } = operation;
    if (to < first || from > last) return [];
    if (from >= first && to <= last) return [operation];
    return isRead(call) ? [] : [unanswered(operation)];
  });
  const keys = Object.keys(part.start);
  const isWhole = part.operations.every(({ from }) => from >= first);
  return {
    start: isWhole ? part.start : stateOf(keys, UNKNOWN),
    operations,
  };
}

/** The same call, of which only that it was made is known. */
export function unanswered({ id, call, from }: Operation): Operation {
  return { id, call, from, to: Infinity };
}

function stateOf(keys: readonly string[], cell: State[string]): State {
  return Object.fromEntries(keys.map((key) => [key, cell]));
}

function projectOperation(
  operation: Operation,
  key: string,
): Operation | undefined {
  const { call, answer } = operation;
  if (!keysOf(call).includes(key)) return undefined;
  if (call.do !== "list" && call.do !== "atomic") return operation;
  const projected = call.do === "list"
    ? { ...call, keys: [key] }
    : projectedAtomic(call, answer, key);
  return projected && { ...operation, call: projected };
}

function projectedAtomic(
  call: Call & { do: "atomic" },
  answer: Answer | undefined,
  key: string,
): Call | undefined {
  const checks = call.checks.filter(([name]) => name === key);
  const writes = call.writes.filter(([name]) => name === key);
  // What a refused one tells of other keys is left out.
  if (answer && "conflict" in answer && answer.conflict.key !== key) {
    return undefined;
  }
  return { ...call, checks, writes };
}
