/**
 * What revisions tell of a history. A store numbers its changes in the order in
 * which they are made, and keeps them in its change log. So the log is a good
 * guess for the order of the calls (`guessOrder`). It is not trusted: it is
 * compared with what the callers were told, and with when (`findWrongRevisions`).
 *
 * @module
 */
import type { Change } from "../watches/watch_validators.ts";
import {
  type Answer,
  authorOf,
  type Call,
  type Operation,
  tellOperation,
  writesOf,
} from "./calls.ts";

/** A change of the log, with its key as calls name it. */
interface Logged extends Omit<Change, "kind" | "value"> {
  value: string;
}

/** The change log as an index. */
export class LogIndex {
  /** By revision. */
  readonly changes = new Map<number, Logged>();

  /** Takes the changes of a file, whose values are JSON. */
  constructor(changes: readonly Change[]) {
    for (const { kind, key, value, ...change } of changes) {
      this.changes.set(change.revision, {
        ...change,
        key: `${kind}/${key}`,
        value: JSON.parse(value),
      });
    }
  }
}

/** The revision that an answer tells, and whether it is that of a change. */
export function revisionOf(
  { answer }: Operation,
): { revision: number; isChange: boolean } | undefined {
  if (!answer) return undefined;
  if ("committed" in answer) {
    return { revision: answer.committed, isChange: false };
  }
  if (!("written" in answer)) return undefined;
  const { revision, status } = answer.written;
  return { revision, isChange: status !== "unchanged" };
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
  log: LogIndex | undefined,
): string[] {
  const wrong: string[] = [];
  const changes = new Map<number, Operation>();
  const floors = floorsOf(operations);
  for (const operation of operations) {
    const told = revisionOf(operation);
    if (!told) continue;
    const { revision, isChange } = told;
    const floor = floors.get(operation)!;
    if (revision < floor || isChange && revision === floor) {
      const first = operations.find((other) =>
        other.to < operation.from && revisionOf(other)?.revision === floor
      )!;
      wrong.push(`revisions go back:\n${tellAll([first, operation])}`);
    }
    if (!isChange) continue;
    const other = changes.get(revision);
    if (other) {
      wrong.push(
        `two changes have one revision:\n${tellAll([other, operation])}`,
      );
    }
    changes.set(revision, operation);
    const difference = log && compareWithLog(operation, log);
    if (difference) wrong.push(difference);
  }
  return wrong;
}

function compareWithLog(
  operation: Operation,
  { changes }: LogIndex,
): string | undefined {
  const { call, answer } = operation;
  if (!answer || !("written" in answer) || !("key" in call)) return undefined;
  const { revision, version, status } = answer.written;
  const value = call.do === "set" ? call.value : answer.value;
  const logged = changes.get(revision);
  const isSame = logged?.key === call.key && logged.version === version &&
    logged.value === value && `${logged.type}d` === status;
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

/**
 * Guesses for each call that may have changed something which revision it made
 * first: what it was told, or the change in the log that fits it.
 */
export function guessOrder(
  operations: readonly Operation[],
  log: LogIndex | undefined,
): (operation: Operation) => number | undefined {
  const guesses = new Map<string, number>();
  const unclaimed = new Map(log?.changes);
  const claim = (operation: Operation, revisions: readonly number[]) => {
    if (revisions.length > 0) guesses.set(operation.id, revisions[0]);
    for (const revision of revisions) unclaimed.delete(revision);
  };
  // The surest come first.
  for (const operation of operations) {
    const told = revisionOf(operation);
    if (told) claim(operation, told.isChange ? [told.revision] : []);
    // Without a change of its own, it comes after the change of that revision.
    if (told && !told.isChange) guesses.set(operation.id, told.revision + 0.5);
  }
  const fitting = new ChangesByName(unclaimed);
  const floors = floorsOf(operations);
  const called = [...operations].sort((a, b) => a.from - b.from);
  const claimFitting = (operation: Operation) => {
    if (guesses.has(operation.id)) return;
    const first = fitting.find(operation, floors.get(operation)!);
    if (first === undefined) return;
    const { length } = writesOf(operation.call);
    claim(operation, Array.from({ length: length || 1 }, (_, i) => first + i));
  };
  // Deletions tell what they deleted.
  called.filter(({ answer }) => answer).forEach(claimFitting);
  for (const operation of operations) {
    if (operation.call.do !== "atomic") continue;
    const told = revisionOf(operation);
    if (!told) continue;
    claim(operation, changesOf(operation.call, told.revision, unclaimed));
  }
  called.filter(({ answer }) => !answer).forEach(claimFitting);
  return ({ id }) => guesses.get(id);
}

/** Changes of the log that are still unclaimed, by what calls know of them. */
class ChangesByName {
  readonly #unclaimed: ReadonlyMap<number, Logged>;
  readonly #byName = new Map<string, Logged[]>();

  constructor(unclaimed: ReadonlyMap<number, Logged>) {
    this.#unclaimed = unclaimed;
    for (const change of unclaimed.values()) {
      for (const name of namesOf(change)) {
        const others = this.#byName.get(name);
        if (others) others.push(change);
        else this.#byName.set(name, [change]);
      }
    }
  }

  /** The first revision after another that the call may have made. */
  find({ call, answer }: Operation, after: number): number | undefined {
    return this.#byName.get(nameOf(call, answer))?.find((
      { revision, version },
    ) =>
      this.#unclaimed.has(revision) && revision > after &&
      mayMake(call, version)
    )?.revision;
  }
}

/** The changes that an atomic operation made, if its last one has this revision. */
function changesOf(
  call: Call,
  last: number,
  log: ReadonlyMap<number, Logged>,
): number[] {
  const found: number[] = [];
  for (const [key, value] of writesOf(call).toReversed()) {
    const revision = last - found.length;
    const change = log.get(revision);
    const isThis = change?.key === key &&
      (value === null ? change.type === "delete" : change.value === value);
    if (isThis) found.unshift(revision);
  }
  return found;
}

function mayMake(call: Call, version: number): boolean {
  if (!("ifVersion" in call) || call.ifVersion === undefined) return true;
  return version === call.ifVersion + (call.do === "set" ? 1 : 0);
}

// The names by which changes and the calls that made them find each other.

function namesOf({ type, key, version, value }: Logged): string[] {
  return type === "delete"
    ? [`delete ${key}`, `delete ${key} ${version} ${value}`]
    : [`put ${key} ${authorOf(value)}`];
}

function nameOf(call: Call, answer: Answer | undefined): string {
  if (answer && !("entry" in answer)) return "";
  if (answer?.entry && "key" in call) {
    const [value, version] = answer.entry;
    return `delete ${call.key} ${version} ${value}`;
  }
  const [key, value] = call.do === "delete"
    ? [call.key, null]
    : writesOf(call)[0] ?? [];
  if (answer || key === undefined) return "";
  return value ? `put ${key} ${authorOf(value)}` : `delete ${key}`;
}
