/**
 * Judges a history of calls: whether each was done whole at one moment between
 * its call and its answer (linearizability), in the order of the revisions.
 *
 * @module
 */
import type { Change } from "../watches/watch_validators.ts";
import { type Answer, authorOf, type Operation, writesOf } from "./calls.ts";
import { shrink } from "./counterexample.ts";
import { linearize } from "./linearize.ts";
import { effective, type Part, partsOf } from "./parts.ts";
import { findWrongRevisions, type Log, tellAll, toLog } from "./revisions.ts";

/** More findings make nothing clearer. */
const MOST_FINDINGS = 5;
/** How many more writes to try if the log is no order: some seconds' work. */
const LARGE_BUDGET = 30_000;
/** How many calls without an answer to tell. */
const MOST_UNANSWERED = 10;

/**
 * What is wrong with a history that began with an empty store: nothing if it is
 * sound. `log` is the file's whole change log.
 */
export function findFlaws(
  history: readonly Operation[],
  log?: readonly Change[],
): string[] {
  const index = log && toLog(log);
  const operations = effective(history);
  const flaws = [
    ...findUnwritten(history, index),
    ...findWrongRevisions(operations, index),
  ];
  for (const part of partsOf(operations)) {
    const flaw = findNoOrder(part, index);
    if (flaw) flaws.push(flaw);
  }
  return flaws.slice(0, MOST_FINDINGS);
}

/** Throws if a history is not sound; the message tells the calls that show it. */
export function assertLinearizable(
  history: readonly Operation[],
  log?: readonly Change[],
): void {
  const flaws = findFlaws(history, log);
  if (flaws.length === 0) return;
  throw new Error(`The history is not linearizable:\n${flaws.join("\n")}`);
}

function findNoOrder(
  part: Part,
  log: Log | undefined,
): string | undefined {
  const { start, operations } = part;
  const own = log?.values().filter(({ key }) => key in start).toArray();
  const search = (budget: number) =>
    linearize(operations, { start, log: own, budget });
  // With a right log, one try for each write is enough.
  let result = search(2 * operations.length + 1_000);
  if (result.found === "order") return undefined;
  const { blocked, effects } = result;
  if (result.found === "nothing yet") {
    result = search(operations.length + LARGE_BUDGET);
  }
  if (result.found === "order") return undefined;
  // With many calls without an answer, only the log tells what they did.
  const small = shrink(own ? withEffects(part, effects) : part, blocked);
  if (small) {
    const condition = own
      ? ", if a call without an answer did only what the change log tells"
      : "";
    return `no order of these calls explains their answers${condition}:\n${
      tellPart(small)
    }`;
  }
  const near = operations.filter(({ from, to }) =>
    from <= blocked.to && to >= blocked.from && to < Infinity
  );
  return `no order was found that explains the call ${blocked.id}, beside these:\n${
    tellAll(near)
  }`;
}

/** The part in which only these of the calls without an answer had an effect. */
function withEffects(
  { start, operations }: Part,
  effects: readonly string[],
): Part {
  const ids = new Set(effects);
  const known = operations.filter(({ id, answer }) => answer || ids.has(id));
  return { start, operations: known };
}

function tellPart({ operations }: Part): string {
  const answered = operations.filter(({ answer }) => answer);
  const others = operations.filter(({ answer }) => !answer);
  const told = [...answered, ...others.slice(-MOST_UNANSWERED)];
  const more = others.length - MOST_UNANSWERED;
  return tellAll(told) +
    (more > 0
      ? `\n  and ${more} more calls that may have had an effect, or not`
      : "");
}

/** Finds values that an answer or the log has, and that no call can have written. */
function findUnwritten(
  history: readonly Operation[],
  log: Log | undefined,
): string[] {
  const writers = new Map<string, Operation[]>();
  for (const operation of history) {
    for (const name of namesOfWrites(operation)) {
      const others = writers.get(name);
      if (others) others.push(operation);
      else writers.set(name, [operation]);
    }
  }
  const mayBe = (name: string, until: number) =>
    writers.get(name)?.some((writer) =>
      writer.from < until && mayHaveWritten(writer)
    );
  const flaws: string[] = [];
  for (const operation of history) {
    for (const [key, value] of valuesOf(operation)) {
      const name = `${key} ${authorOf(value)}`;
      if (mayBe(name, operation.to)) continue;
      flaws.push(
        `a call was answered with a value that no call can have written by then:\n${
          tellAll([...writers.get(name) ?? [], operation])
        }`,
      );
    }
  }
  for (const { revision, key, value } of log?.values() ?? []) {
    const name = `${key} ${authorOf(value)}`;
    if (mayBe(name, Infinity)) continue;
    flaws.push(
      `change ${revision} of the log has a value of ${key} that no call can have written: ${value}\n${
        tellAll(writers.get(name) ?? [])
      }`,
    );
  }
  return flaws;
}

function namesOfWrites({ call }: Operation): string[] {
  const names = writesOf(call).flatMap(([key, value]) =>
    value === null ? [] : [`${key} ${authorOf(value)}`]
  );
  if (call.do === "update" && call.initial !== undefined && !call.by) {
    names.push(`${call.key} ${authorOf(call.initial)}`);
  }
  return names;
}

function mayHaveWritten({ answer }: Operation): boolean {
  if (!answer) return true;
  return "unclear" in answer || "written" in answer || "committed" in answer;
}

/** The values that an answer tells, by key. */
function valuesOf({ call, answer }: Operation): [key: string, value: string][] {
  if (!answer) return [];
  if ("values" in answer) return Object.entries(answer.values);
  if (!("key" in call)) return [];
  const value = valueOf(answer);
  return value === undefined ? [] : [[call.key, value]];
}

function valueOf(answer: Answer): string | undefined {
  if ("entry" in answer) return answer.entry?.[0];
  return "value" in answer ? answer.value ?? undefined : undefined;
}
