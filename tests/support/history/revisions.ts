/**
 * What revisions tell of a history. A store numbers its changes in the order in
 * which they are made, and keeps them in its change log. So the log is a good
 * guess for the order of the calls, see `linearize.ts`. It is not trusted: it is
 * compared with what the callers were told, and with when.
 *
 * @module
 */
import type { Change } from "../watches/watch_validators.ts";
import { type Operation, tellOperation } from "./calls.ts";

/** A change of the log, with its key as calls name it. */
export interface Logged extends Omit<Change, "kind"> {
  /** As calls name it. */
  key: string;
}

/** A change log as calls name its keys and values, by revision. */
export type Log = ReadonlyMap<number, Logged>;

/** Takes the changes of a file, whose values are JSON. */
export function toLog(changes: readonly Change[]): Log {
  return new Map(changes.map(({ kind, key, value, ...change }) => [
    change.revision,
    { ...change, key: `${kind}/${key}`, value: JSON.parse(value) },
  ]));
}

/** A revision that an answer tells. */
interface Told {
  readonly revision: number;
  /**
   * What it is: that of the call's own change, the newest one at the call's
   * place, or that of the last change of an entry that the call left as it is.
   */
  readonly of: "change" | "newest" | "entry";
}

/** The revision that an answer tells. */
export function revisionOf({ answer }: Operation): Told | undefined {
  if (!answer) return undefined;
  if ("committed" in answer) {
    return { revision: answer.committed, of: "newest" };
  }
  if (!("written" in answer)) return undefined;
  const { revision, status } = answer.written;
  return { revision, of: status === "unchanged" ? "entry" : "change" };
}

/** The highest revision that was told before a call was made, by operation. */
export function floorsOf(
  operations: readonly Operation[],
): Map<Operation, number> {
  const floors = new Map<Operation, number>();
  const answered = operations.filter(revisionOf)
    .sort((a, b) => a.to - b.to);
  const called = [...operations].sort((a, b) => a.from - b.from);
  let floor = 0;
  let next = 0;
  for (const operation of called) {
    for (; answered[next]?.to < operation.from; next++) {
      floor = Math.max(floor, revisionOf(answered[next])!.revision);
    }
    floors.set(operation, floor);
  }
  return floors;
}

/**
 * What is wrong with the revisions that callers were told: one that is not after
 * those told before the call, one told for two changes, and one that the log
 * tells otherwise.
 */
export function findWrongRevisions(
  operations: readonly Operation[],
  log: Log | undefined,
): string[] {
  const wrong: string[] = [];
  const changes = new Map<number, Operation>();
  const floors = floorsOf(operations);
  for (const operation of operations) {
    const told = revisionOf(operation);
    if (!told) continue;
    const { revision, of } = told;
    const floor = floors.get(operation)!;
    const isBehind = of === "entry"
      ? false
      : revision < floor || of === "change" && revision === floor;
    if (isBehind) {
      const first = operations.find((other) =>
        other.to < operation.from && revisionOf(other)?.revision === floor
      )!;
      wrong.push(`revisions go back:\n${tellAll([first, operation])}`);
    }
    const difference = log && compareWithLog(operation, log);
    if (difference) wrong.push(difference);
    if (of !== "change") continue;
    const other = changes.get(revision);
    if (other) {
      wrong.push(
        `two changes have one revision:\n${tellAll([other, operation])}`,
      );
    }
    changes.set(revision, operation);
  }
  return wrong;
}

function compareWithLog(
  operation: Operation,
  log: Log,
): string | undefined {
  const { call, answer } = operation;
  if (!answer || !("written" in answer) || !("key" in call)) return undefined;
  const { revision, version, status } = answer.written;
  const value = call.do === "set" ? call.value : answer.value;
  const [oldest = Infinity] = log.keys();
  // The entry may be older than the log.
  if (status === "unchanged" && revision < oldest) return undefined;
  const logged = log.get(revision);
  const isSame = logged?.key === call.key && logged.version === version &&
    logged.value === value &&
    (status === "unchanged"
      ? logged.type !== "delete"
      : `${logged.type}d` === status);
  if (isSame) return undefined;
  return `the change log has at this call's revision ${
    JSON.stringify(logged) ?? "no change"
  }:\n${tellAll([operation])}`;
}

/** Operations, one a line, in the order in which they were called. */
export function tellAll(operations: readonly Operation[]): string {
  return [...operations].sort((a, b) => a.from - b.from)
    .map((operation) => `  ${tellOperation(operation)}`).join("\n");
}
