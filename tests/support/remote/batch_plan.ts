/**
 * A batch as the remote engine sees it before it is sent: its writes, with
 * their decisions made on what the server held a moment ago.
 *
 * The invariant: a decision never counts by itself. What it saw goes to the
 * server beside what it decided, also if it answered `"keep"`, or threw.
 *
 * @module
 */
import {
  assertChangeFits,
  assertWriteFits,
  type Limits,
} from "../../../src/engine/limits.ts";
import {
  type Batch,
  type Change,
  type EntryName,
  type Next,
  type Outcome,
  type RangeRemoval,
  weightOf,
  type Write,
} from "../../../src/engine/write.ts";
import { isInRange } from "../../../src/keys/key_range.ts";
import { errorOf } from "./client.ts";
import type { DecidedChange, DecidedWrite, WriteAnswer } from "./protocol.ts";

/** How many checks and changes a request has, before it takes no more writes. */
const REQUEST_WEIGHT = 200;

/** How many bytes of values a request has, before it takes no more writes. */
const REQUEST_BYTES = 1024 * 1024;

/** Why a write fails, and at which of its changes. */
interface WriteFailure {
  readonly error: unknown;
  readonly at?: number;
}

/** A write that was taken from the queue, with its changes read once. */
export interface TakenWrite {
  readonly write: Write;
  readonly changes: readonly Change[];
  /** It fails by itself, whatever the server holds. */
  readonly failure?: WriteFailure;
}

/** A write to be sent. */
export interface PlannedWrite {
  readonly taken: TakenWrite;
  readonly decided: DecidedWrite;
  /** What its caller is told if the server confirms what its decisions saw. */
  readonly failure?: WriteFailure;
}

/** What is known of an entry: its bytes, or that there is none. */
interface KnownEntry extends EntryName {
  readonly value: Uint8Array | undefined;
}

/** What is known of entries: by kind and key. */
type Known = Map<string, KnownEntry>;

/** Takes writes until the request is full. The last one may be more than fits. */
export function takeWrites(batch: Batch, limits: Limits): TakenWrite[] {
  const taken: TakenWrite[] = [];
  for (let weight = 0; weight < REQUEST_WEIGHT;) {
    const write = batch.next();
    if (!write) break;
    taken.push(takeWrite(write, limits));
    weight += weightOf(write);
  }
  return taken;
}

function takeWrite(write: Write, limits: Limits): TakenWrite {
  const changes: Change[] = [];
  try {
    assertWriteFits(write, limits);
    for (const change of write.changes()) changes.push(change);
    return { write, changes };
  } catch (error) {
    return { write, changes: [], failure: { error } };
  }
}

/** The outcomes of writes that all fail by themselves. */
export function failuresOf(taken: readonly TakenWrite[]): Outcome[] {
  return taken.map(({ failure }) => ({ type: "failed", ...failure! }));
}

/** The entries that decisions ask for. */
export function decidedNames(taken: readonly TakenWrite[]): EntryName[] {
  const names = new Map<string, EntryName>();
  for (const { changes } of taken) {
    for (const change of changes) {
      if ("range" in change || typeof change.next !== "function") continue;
      const { kind, key } = change;
      names.set(nameOf(kind, key), { kind, key });
    }
  }
  return [...names.values()];
}

/** Decides each write on what was seen, and on what the writes before it leave. */
export function planWrites(
  taken: readonly TakenWrite[],
  names: readonly EntryName[],
  seen: readonly (Uint8Array | undefined)[],
  limits: Limits,
): PlannedWrite[] {
  const known: Known = new Map(
    names.map(({ kind, key }, i) => [
      nameOf(kind, key),
      { kind, key, value: seen[i] },
    ]),
  );
  const planned: PlannedWrite[] = [];
  let bytes = 0;
  for (const each of taken) {
    const plan = planWrite(each, known, limits);
    for (const change of plan.decided.changes) bytes += sizeOf(change);
    // The others are handed again, undone.
    if (bytes > REQUEST_BYTES && planned.length > 0) break;
    planned.push(plan);
  }
  return planned;
}

/** How many bytes of values a change has. */
function sizeOf(change: DecidedChange): number {
  if ("range" in change) return 0;
  const { next, seen } = change;
  return (seen?.value?.byteLength ?? 0) +
    (typeof next === "object" ? next.value.byteLength : 0);
}

/** Decides a write. If it does not fail, `known` tells what it leaves. */
function planWrite(
  taken: TakenWrite,
  known: Known,
  limits: Limits,
): PlannedWrite {
  const { checks } = taken.write;
  if (taken.failure) {
    const decided = { checks: [], changes: [], fails: true };
    return { taken, decided, failure: taken.failure };
  }
  const own: Known = new Map();
  const changes: DecidedChange[] = [];
  for (const [at, change] of taken.changes.entries()) {
    if ("range" in change) {
      changes.push(change);
      for (const entry of [...known.values(), ...own.values()]) {
        if (isRemoved(change, entry)) note(own, entry, undefined);
      }
      continue;
    }
    const { kind, key, next, mayRemove } = change;
    const name = nameOf(kind, key);
    const isDecision = typeof next === "function";
    const value = (own.get(name) ?? known.get(name))?.value;
    const seen = isDecision ? { value } : undefined;
    try {
      const decided = isDecision ? next(value?.slice()) : next;
      assertChangeFits(taken.write, kind, key, decided, limits);
      changes.push({ kind, key, next: decided, seen, mayRemove });
      if (decided !== "keep") note(own, { kind, key }, valueOf(decided));
    } catch (error) {
      if (seen) changes.push({ kind, key, next: "keep", seen });
      const decided = { checks, changes, fails: true };
      return { taken, decided, failure: { error, at } };
    }
  }
  for (const [name, entry] of own) known.set(name, entry);
  return { taken, decided: { checks, changes, fails: false } };
}

function isRemoved({ kind, range }: RangeRemoval, entry: EntryName): boolean {
  return entry.kind === kind && isInRange(range, entry.key);
}

function note(
  known: Known,
  { kind, key }: EntryName,
  value: Uint8Array | undefined,
): void {
  known.set(nameOf(kind, key), { kind, key, value });
}

/** The bytes that are there afterwards. What has expired by now is gone at once. */
function valueOf(next: Exclude<Next, "keep">): Uint8Array | undefined {
  if (next === "remove") return undefined;
  const { value, expiresAt } = next;
  const isGone = typeof expiresAt === "number" && expiresAt <= Date.now();
  return isGone ? undefined : value;
}

/** What became of the writes that the server answered for. */
export function outcomesOf(
  planned: readonly PlannedWrite[],
  answers: readonly WriteAnswer[],
): Outcome[] {
  return answers.map((answer, i) => outcomeOf(planned[i], answer));
}

function outcomeOf(
  { taken, failure }: PlannedWrite,
  answer: WriteAnswer,
): Outcome {
  switch (answer.type) {
    case "done":
      return answer;
    case "refused": {
      const { check, found } = answer;
      return { type: "refused", check: taken.write.checks[check], found };
    }
    case "failed": {
      const { failure, at } = answer;
      return { type: "failed", error: errorOf(failure), at };
    }
    case "confirmed":
      return { type: "failed", ...failure! };
  }
}

/**
 * The outcomes of a batch of which nobody knows whether it arrived. A write is
 * unclear if it changes anything; the others have written nothing in any case.
 */
export function outcomesUnknown(
  planned: readonly PlannedWrite[],
  cause: unknown,
  unavailable: (action: string) => unknown,
): Outcome[] {
  return planned.map((plan) =>
    mayWrite(plan)
      ? { type: "unclear", error: cause }
      : { type: "failed", error: unavailable(plan.taken.write.action) }
  );
}

function mayWrite({ decided: { changes, fails } }: PlannedWrite): boolean {
  return !fails &&
    changes.some((change) => "range" in change || change.next !== "keep");
}

function nameOf(kind: string, key: string): string {
  return `${kind}\0${key}`;
}
