/**
 * Carries a write out on a storage, inside a transaction.
 *
 * @module
 */
import type { StoredValue } from "../engine/entries.ts";
import {
  type Change,
  type Check,
  type Decide,
  type Effect,
  type EntryChange,
  type Found,
  type Next,
  type Outcome,
  type Put,
  type RangeRemoval,
  type Refused,
  weightOf,
  type Write,
} from "../engine/write.ts";
import { compareKeys } from "../keys/key_order.ts";
import type { KeyRange } from "../keys/key_range.ts";
import type { RangeRemoved, Storage } from "./storage.ts";

/** About how many bytes of values are inserted at once, without a pause. */
const BYTES_AT_ONCE = 1_000_000;

const NOTHING: Effect = { status: "unchanged", version: 0, revision: 0 };

/** An error that fails one write alone, and is not a failure of the storage. */
export class ChangeError extends Error {
  /** The number of the failed change, from 0. Absent if something else failed. */
  readonly at?: number;

  /** Takes the error, and the number of its change, if it concerns one. */
  constructor(cause: unknown, at?: number) {
    super("A change failed", { cause });
    this.at = at;
  }
}

/** Whether a write is so small that it needs no pause, and leaves nothing to undo if it fails. */
export function isSmall(write: Write): boolean {
  return !write.isBulk && weightOf(write) <= 2 && write.size() <= 1;
}

/** Carries out a small write at once. Throws the storage's failures. */
export function carryOutSmall(storage: Storage, write: Write): Outcome {
  const effects: Effect[] = [];
  try {
    for (const check of write.checks) {
      const refused = refusalOf(storage, check);
      if (refused) return refused;
    }
    for (const change of write.changes()) {
      // A small write removes no range.
      effects.push(apply(storage, change as EntryChange));
    }
    return { type: "done", effects, revision: storage.headRevision() };
  } catch (error) {
    // A failure of the storage ends the transaction; an error of the caller
    // ends only its write.
    if (storage.isFailure(error)) throw error;
    return { type: "failed", error, at: 0 };
  }
}

/**
 * Carries out a write of any size. It yields at each place where it may pause.
 * Throws `ChangeError` if the write failed alone and must be undone, and the
 * storage's failures.
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
      else if ("range" in change) {
        effects.push(yield* removeRange(storage, change));
      } else effects.push(apply(storage, change));
      yield;
    }
    isChanging = false;
    return { type: "done", effects, revision: storage.headRevision() };
  } catch (error) {
    if (storage.isFailure(error)) throw error;
    // A check may fail, too, and so may the revision, if it is beyond the
    // largest one.
    throw new ChangeError(error, isChanging ? effects.length : undefined);
  }
}

function refusalOf(storage: Storage, check: Check): Refused | undefined {
  const found = storage.getState(check.kind, check.key);
  return holds(check, found) ? undefined : { type: "refused", check, found };
}

/** Whether a check holds for the entry that was found. */
export function holds(check: Check, found: Found | undefined): boolean {
  if ("version" in check) return check.version === (found?.version ?? 0);
  return "revision" in check
    ? check.revision === (found?.revision ?? 0)
    : check.exists === (found !== undefined);
}

function apply(storage: Storage, change: EntryChange): Effect {
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
  { kind, key }: EntryChange,
  next: Next,
): Effect {
  if (next === "remove") return removedBy(storage.remove(kind, key));
  if (next !== "keep") return storage.put(kind, key, next);
  const state = storage.getState(kind, key);
  return state ? { status: "unchanged", ...state } : NOTHING;
}

function removedBy(revision: number | undefined): Effect {
  return revision === undefined
    ? NOTHING
    : { status: "removed", version: 0, revision };
}

/** It reads the whole entry at once, because the effect has the removed entry. */
function decideRemoval(
  storage: Storage,
  change: EntryChange,
  decide: Decide,
): Effect {
  const entry = storage.getEntry(change.kind, change.key);
  const next = decide(entry?.value);
  if (!entry || next !== "remove") return carryOutNext(storage, change, next);
  const { version, key: _key, value: _value, ...removed } = entry;
  const effect = removedBy(storage.remove(change.kind, change.key));
  return { ...effect, version, removed };
}

function* removeRange(
  storage: Storage,
  { kind, range }: RangeRemoval,
): Generator<void, Effect> {
  let count = 0;
  let revision = 0;
  for (let rest: KeyRange | undefined = range; rest;) {
    const removed: RangeRemoved = storage.removeRange(kind, rest);
    if (removed.count > 0) revision = storage.headRevision();
    count += removed.count;
    rest = removed.rest;
    yield;
  }
  return {
    status: count > 0 ? "removed" : "unchanged",
    version: 0,
    revision,
    count,
  };
}

/** Simple values of a kind, in key order, each key once. */
interface PutRun {
  readonly kind: string;
  readonly run: StoredValue[];
}

/** The changes. Those that one statement can carry out are joined. */
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
    const { kind, key } = change as EntryChange;
    if (open && !(put && continues(open, kind, key))) {
      yield open;
      open = undefined;
    }
    if (!put) {
      yield change;
      continue;
    }
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

/** The value that a change puts in any case, unaltered and without expiry. */
function plainPutOf(change: Change): Put | undefined {
  if ("range" in change) return undefined;
  const { next } = change;
  return typeof next === "object" && next.origin === undefined &&
      next.expiresAt === undefined
    ? next
    : undefined;
}

function continues(open: PutRun, kind: string, key: string): boolean {
  return open.kind === kind && compareKeys(open.run.at(-1)!.key, key) < 0;
}

function* applyRun(
  storage: Storage,
  { kind, run }: PutRun,
  effects: Effect[],
): Generator<void, void> {
  if (run.length === storage.insertsAtOnce && storage.insertAll(kind, run)) {
    const before = storage.headRevision() - run.length;
    for (let i = 1; i <= run.length; i++) {
      effects.push({ status: "created", version: 1, revision: before + i });
    }
    return;
  }
  for (const { key, value } of run) {
    effects.push(storage.put(kind, key, { value }));
    yield;
  }
}
