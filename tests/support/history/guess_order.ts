/**
 * Guesses an order of the calls, which is tried first: that of the revisions. A
 * call that was told no revision is found in the change log by what it knows of
 * its change.
 *
 * @module
 */
import {
  type AtomicWrite,
  authorOf,
  type Call,
  type Operation,
  writesOf,
} from "./calls.ts";
import {
  floorsOf,
  type Logged,
  type LogIndex,
  revisionOf,
} from "./revisions.ts";

/** The revision of a call's first change, as far as it can be guessed. */
export type Guess = (operation: Operation) => number | undefined;

/** Guesses the order of calls that may have changed something. */
export function guessOrder(
  operations: readonly Operation[],
  log: LogIndex | undefined,
): Guess {
  const guesser = new Guesser(operations, log);
  guesser.claimTold();
  guesser.claimDeleted();
  guesser.claimCommitted();
  guesser.claimUnanswered();
  return ({ id }) => guesser.guesses.get(id);
}

/** Gives each change to the call that made it. The surest are given away first. */
class Guesser {
  readonly guesses = new Map<string, number>();
  readonly #operations: readonly Operation[];
  /** The changes of the log that no call has claimed, by revision. */
  readonly #unclaimed: Map<number, Logged>;

  constructor(operations: readonly Operation[], log: LogIndex | undefined) {
    this.#operations = operations;
    this.#unclaimed = new Map(log?.changes);
  }

  /** Those who were told the revision. */
  claimTold(): void {
    for (const operation of this.#operations) {
      const told = revisionOf(operation);
      if (!told) continue;
      const { revision, isChange } = told;
      if (isChange) this.#claim(operation, [revision]);
      // Without a change, it comes after the change that has the revision.
      else this.guesses.set(operation.id, revision + 0.5);
    }
  }

  /** Those who were told what they deleted. */
  claimDeleted(): void {
    const deleted = new Map<string, Operation[]>();
    for (const operation of this.#operations) {
      const { call, answer } = operation;
      if (call.do !== "delete" || !answer) continue;
      if (!("entry" in answer) || !answer.entry) continue;
      const [value, version] = answer.entry;
      add(deleted, `${call.key} ${version} ${value}`, operation);
    }
    const floors = floorsOf(this.#operations);
    for (const change of this.#deletions()) {
      const { revision, key, version, value } = change;
      const operation = deleted.get(`${key} ${version} ${value}`)
        ?.filter((operation) =>
          !this.guesses.has(operation.id) &&
          floors.get(operation)! < revision
        ).reduce<Operation | undefined>(
          (first, other) => first && first.to < other.to ? first : other,
          undefined,
        );
      if (operation) this.#claim(operation, [revision]);
    }
  }

  /** Atomic operations that were told the revision of their last change. */
  claimCommitted(): void {
    for (const operation of this.#operations) {
      if (operation.call.do !== "atomic") continue;
      const told = revisionOf(operation);
      if (!told) continue;
      const writes = writesOf(operation.call);
      const last = told.revision;
      this.#claim(operation, this.#before(writes, last + 1));
    }
  }

  /** Those who were told nothing. */
  claimUnanswered(): void {
    const unanswered = this.#operations.filter(({ answer }) => !answer);
    const authors = new Map<string, Operation[]>();
    for (const operation of unanswered) {
      for (const [key, value] of writesOf(operation.call)) {
        if (value) add(authors, `${key} ${authorOf(value)}`, operation);
      }
    }
    for (
      const { type, revision, key, value } of [...this.#unclaimed.values()]
    ) {
      if (type === "delete" || !this.#unclaimed.has(revision)) continue;
      const operation = authors.get(`${key} ${authorOf(value)}`)?.shift();
      if (operation) this.#claim(operation, this.#around(operation, revision));
    }
    this.#claimUnansweredDeletions(unanswered);
  }

  /** Gives each deletion to the last call before it that may have made it. */
  #claimUnansweredDeletions(unanswered: readonly Operation[]): void {
    const floors = floorsOf(this.#operations);
    const byKey = new Map<string, Operation[]>();
    for (const operation of unanswered) {
      for (const [key, value] of deletionsOf(operation.call)) {
        if (value === null) add(byKey, key, operation);
      }
    }
    for (const { revision, key, version } of this.#deletions()) {
      if (!this.#unclaimed.has(revision)) continue;
      const operation = byKey.get(key)?.findLast((operation) =>
        !this.guesses.has(operation.id) &&
        floors.get(operation)! < revision &&
        mayDelete(operation.call, key, version)
      );
      if (operation) this.#claim(operation, this.#around(operation, revision));
    }
  }

  #claim({ id }: Operation, revisions: readonly number[]): void {
    if (revisions.length > 0) this.guesses.set(id, revisions[0]);
    for (const revision of revisions) this.#unclaimed.delete(revision);
  }

  #deletions(): Logged[] {
    return [...this.#unclaimed.values()].filter(({ type }) =>
      type === "delete"
    );
  }

  /** The revisions of the changes that writes made together, if one of them is this. */
  #around({ call }: Operation, revision: number): number[] {
    if (call.do !== "atomic") return [revision];
    const at = call.writes.findIndex((write) => this.#isOf(write, revision));
    const before = this.#before(call.writes.slice(0, at), revision);
    const around = [...before, revision];
    for (const write of call.writes.slice(at + 1)) {
      const next = revision + around.length - before.length;
      if (this.#isOf(write, next)) around.push(next);
    }
    return around;
  }

  /** The revisions of the changes that writes made right before a revision. */
  #before(writes: readonly AtomicWrite[], revision: number): number[] {
    const before: number[] = [];
    for (const write of writes.toReversed()) {
      const previous = revision - before.length - 1;
      if (this.#isOf(write, previous)) before.unshift(previous);
    }
    return before;
  }

  #isOf([key, value]: AtomicWrite, revision: number): boolean {
    const change = this.#unclaimed.get(revision);
    if (change?.key !== key) return false;
    return value === null
      ? change.type === "delete"
      : change.type !== "delete" && change.value === value;
  }
}

function deletionsOf(call: Call): readonly AtomicWrite[] {
  return call.do === "delete" ? [[call.key, null]] : writesOf(call);
}

function mayDelete(call: Call, key: string, version: number): boolean {
  if (call.do === "delete") return (call.ifVersion ?? version) === version;
  return call.do === "atomic" &&
    call.checks.every(([name, checked]) => name !== key || checked === version);
}

function add<T>(lists: Map<string, T[]>, name: string, item: T): void {
  const list = lists.get(name);
  if (list) list.push(item);
  else lists.set(name, [item]);
}
