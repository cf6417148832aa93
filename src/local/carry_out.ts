/**
 * Carries a write out on a storage, inside a transaction.
 *
 * @module
 */
import type { StoredValue } from "../engine/entries.ts";
import {
  type Change,
  type Effect,
  type Next,
  type Outcome,
  type Put,
  type Refused,
  weightOf,
  type Write,
} from "../engine/write.ts";
import { compareKeys } from "../keys/key_order.ts";
import type { Storage } from "./storage.ts";

/** About how many bytes of values are inserted at once: it is not paused. */
const BYTES_AT_ONCE = 1_000_000;

const CREATED: Effect = { status: "created", version: 1 };
const REMOVED: Effect = { status: "removed", version: 0 };
const NOTHING: Effect = { status: "unchanged", version: 0 };

/** What may fail in a write, and is not the storage's failure: it fails alone. */
export class ChangeError extends Error {
  /** Which change failed, from 0; absent if something else did. */
  readonly at?: number;

  /** Takes the error, and which change it is of, if it is of one. */
  constructor(cause: unknown, at?: number) {
    super("A change failed", { cause });
    this.at = at;
  }
}

/** Whether a write has so little to do that it needs no pause, and nothing to undo if it fails. */
export function isSmall(write: Write): boolean {
  return weightOf(write) <= 2 && write.size() <= 1;
}

/** Carries out a small write, at once. Throws the storage's failures. */
export function carryOutSmall(storage: Storage, write: Write): Outcome {
  const effects: Effect[] = [];
  try {
    for (const check of write.checks) {
      const refused = refusalOf(storage, check);
      if (refused) return refused;
    }
    for (const change of write.changes()) {
      effects.push(apply(storage, change));
    }
    return { type: "done", effects, revision: storage.headRevision() };
  } catch (error) {
    // The storage's failures end the transaction, the caller's own its write.
    if (storage.isFailure(error)) throw error;
    return { type: "failed", error, at: 0 };
  }
}

/**
 * Carries out a write of any size; yields wherever it may pause. Throws
 * `ChangeError` if it failed alone and is to be undone, and the storage's
 * failures.
 */
export function* carryOut(
  storage: Storage,
  write: Write,
): Generator<void, Outcome> {
  const effects: Effect[] = [];
  let isChanging = false;
  try {
    for (const check of write.checks) {
      const refused = refusalOf(storage, check);
      if (refused) return refused;
      yield;
    }
    isChanging = true;
    for (const change of joined(storage, write.changes())) {
      if ("run" in change) yield* applyRun(storage, change, effects);
      else effects.push(apply(storage, change));
      yield;
    }
    isChanging = false;
    return { type: "done", effects, revision: storage.headRevision() };
  } catch (error) {
    if (storage.isFailure(error)) throw error;
    // A check may fail, too, and so may the revision if it is past the last one.
    throw new ChangeError(error, isChanging ? effects.length : undefined);
  }
}

function refusalOf(
  storage: Storage,
  check: Write["checks"][number],
): Refused | undefined {
  const version = storage.getVersion(check.kind, check.key);
  if (version === check.version) return undefined;
  const found = version === 0 ? undefined : { version };
  return { type: "refused", check, found };
}

function apply(storage: Storage, change: Change): Effect {
  const { kind, key, next } = change;
  if (typeof next !== "function") return carryOutNext(storage, change, next);
  if (change.mayRemove) return decideRemoval(storage, change, next);
  const seen = storage.getValue(kind, key);
  const decided = next(seen);
  return decided === "keep" && seen === undefined
    ? NOTHING
    : carryOutNext(storage, change, decided);
}

function carryOutNext(
  storage: Storage,
  { kind, key }: Change,
  next: Next,
): Effect {
  if (next === "remove") return storage.remove(kind, key) ? REMOVED : NOTHING;
  if (next !== "keep") return storage.put(kind, key, next.value, next.origin);
  return { status: "unchanged", version: storage.getVersion(kind, key) };
}

/** The whole entry is read at once: the effect tells its version and time. */
function decideRemoval(
  storage: Storage,
  change: Change,
  decide: (value: Uint8Array | undefined) => Next,
): Effect {
  const entry = storage.getEntry(change.kind, change.key);
  const next = decide(entry?.value);
  if (!entry || next !== "remove") return carryOutNext(storage, change, next);
  storage.remove(change.kind, change.key);
  const { version, updatedAt } = entry;
  return { status: "removed", version, updatedAt };
}

/** Plain values of a kind, in key order, each key once. */
interface PutRun {
  readonly kind: string;
  readonly run: StoredValue[];
}

/** The changes, with those joined that one statement may do. */
function joined(
  { insertsAtOnce }: Storage,
  changes: Iterable<Change>,
): Iterable<Change | PutRun> {
  return insertsAtOnce === 0 ? changes : runsOf(changes, insertsAtOnce);
}

function* runsOf(
  changes: Iterable<Change>,
  mostEntries: number,
): Generator<Change | PutRun> {
  let open: PutRun | undefined;
  let bytes = 0;
  for (const change of changes) {
    const put = plainPutOf(change);
    if (open && !(put && continues(open, change))) {
      yield open;
      open = undefined;
    }
    if (!put) {
      yield change;
      continue;
    }
    const { kind, key } = change;
    if (!open) {
      open = { kind, run: [] };
      bytes = 0;
    }
    open.run.push({ key, value: put.value });
    bytes += put.value.byteLength;
    if (open.run.length < mostEntries && bytes < BYTES_AT_ONCE) continue;
    yield open;
    open = undefined;
  }
  if (open) yield open;
}

/** The value that a change puts in any case. */
function plainPutOf({ next }: Change): Put | undefined {
  return typeof next === "object" && next.origin === undefined
    ? next
    : undefined;
}

function continues({ kind, run }: PutRun, change: Change): boolean {
  return kind === change.kind && compareKeys(run.at(-1)!.key, change.key) < 0;
}

function* applyRun(
  storage: Storage,
  { kind, run }: PutRun,
  effects: Effect[],
): Generator<void, void> {
  if (run.length === storage.insertsAtOnce && storage.insertAll(kind, run)) {
    for (let i = 0; i < run.length; i++) effects.push(CREATED);
    return;
  }
  for (const { key, value } of run) {
    effects.push(storage.put(kind, key, value));
    yield;
  }
}
