/**
 * A batch as an engine behind a network sees it before it is sent: its writes,
 * with their decisions made on what the server held a moment ago.
 *
 * The invariant: a decision never counts by itself. What it saw goes to the
 * server as a condition of the write, also if it answered `"keep"`, or threw. If
 * the condition does not hold, the server does nothing from this write on, and
 * the client reads and decides anew.
 *
 * @module
 */
import {
  assertChangeFits,
  assertWriteFits,
  type Limits,
} from "../engine/limits.ts";
import {
  type Batch,
  type Change,
  type Check,
  type EntryName,
  type Next,
  type Outcome,
  type RangeRemoval,
  weightOf,
  type Write,
} from "../engine/write.ts";
import { isInRange } from "../keys/key_range.ts";

/** How much a request has, before it takes no more writes. */
export interface RequestSize {
  /** Checks and changes. */
  readonly weight: number;
  /** Bytes of values. */
  readonly bytes: number;
}

/** What a server holds for a name: `undefined` means that there is no entry. */
export interface SeenEntry {
  readonly value: Uint8Array | undefined;
  /** 0 if there is no entry. */
  readonly version: number;
  /** 0 if there is no entry. */
  readonly revision: number;
}

/** A condition: the entry has these bytes, or there is none. */
export interface SeenValue extends EntryName {
  readonly value: Uint8Array | undefined;
}

/** A change of one entry whose decision is made. */
export interface DecidedEntryChange extends EntryName {
  readonly next: Next;
  /** Whether the client asks what was removed. */
  readonly mayRemove?: boolean;
}

/** A change that the server can carry out. */
export type DecidedChange = DecidedEntryChange | RangeRemoval;

/** What becomes of a write whose conditions hold. */
export type DecidedEnd =
  /** Its changes are made. */
  | "done"
  /** It fails, as when a decision threw: nothing is written. */
  | "fails"
  /** A check was to refuse it: what the client saw is out of date. */
  | "stale";

/** A write whose decisions are made. Its conditions are of the moment before its first change. */
export interface DecidedWrite {
  readonly checks: readonly Check[];
  readonly seen: readonly SeenValue[];
  readonly changes: readonly DecidedChange[];
  readonly end: DecidedEnd;
}

/** Why a write fails, and at which of its changes. */
export interface WriteFailure {
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

/** What is known of an entry. Version and revision are `undefined` if the batch itself changes them. */
interface KnownEntry extends EntryName {
  readonly value: Uint8Array | undefined;
  readonly version: number | undefined;
  readonly revision: number | undefined;
}

/** What is known of entries: by kind and key. */
type Known = Map<string, KnownEntry>;

/** Takes writes until the request is full. The last one may be more than fits. */
export function takeWrites(
  batch: Batch,
  limits: Limits,
  { weight }: RequestSize,
): TakenWrite[] {
  const taken: TakenWrite[] = [];
  for (let left = weight; left > 0;) {
    const write = batch.next();
    if (!write) break;
    taken.push(takeWrite(write, limits));
    left -= weightOf(write);
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

/** The entries that decisions ask for, and those on which it depends whether they are asked. */
export function decidedNames(taken: readonly TakenWrite[]): EntryName[] {
  const names = new Map<string, EntryName>();
  const add = ({ kind, key }: EntryName) =>
    names.set(nameOf(kind, key), { kind, key });
  for (const { write, changes } of taken) {
    let decides = false;
    for (const change of changes) {
      if ("range" in change || typeof change.next !== "function") continue;
      decides = true;
      add(change);
    }
    if (decides) write.checks.forEach(add);
  }
  return [...names.values()];
}

/** Decides each write on what was seen, and on what the writes before it leave. */
export function planWrites(
  taken: readonly TakenWrite[],
  names: readonly EntryName[],
  seen: readonly SeenEntry[],
  limits: Limits,
  size: RequestSize,
): PlannedWrite[] {
  const known: Known = new Map(
    names.map(({ kind, key }, i) => [
      nameOf(kind, key),
      { kind, key, ...seen[i] },
    ]),
  );
  const planned: PlannedWrite[] = [];
  let bytes = 0;
  for (const each of taken) {
    const plan = planWrite(each, known, limits);
    bytes += bytesOf(plan.decided);
    // The others are handed again, undone.
    if (bytes > size.bytes && planned.length > 0) break;
    planned.push(plan);
  }
  return planned;
}

/** How many bytes of values a write sends. */
function bytesOf({ seen, changes }: DecidedWrite): number {
  let bytes = 0;
  for (const { value } of seen) bytes += value?.byteLength ?? 0;
  for (const change of changes) {
    if ("range" in change || typeof change.next !== "object") continue;
    bytes += change.next.value.byteLength;
  }
  return bytes;
}

/** Decides a write. If it does not fail, `known` tells what it leaves. */
function planWrite(
  taken: TakenWrite,
  known: Known,
  limits: Limits,
): PlannedWrite {
  const { checks } = taken.write;
  const { failure } = taken;
  if (failure) {
    const decided = {
      checks: [],
      seen: [],
      changes: [],
      end: "fails",
    } as const;
    return { taken, decided, failure };
  }
  if (checks.some((check) => isRefused(check, known))) {
    const decided = { checks, seen: [], changes: [], end: "stale" } as const;
    return { taken, decided };
  }
  return decideChanges(taken, known, limits);
}

/** Whether a check does not hold, for all that is known. */
function isRefused(check: Check, known: Known): boolean {
  const entry = known.get(nameOf(check.kind, check.key));
  if (!entry) return false;
  const { value, version, revision } = entry;
  if ("exists" in check) return check.exists !== (value !== undefined);
  const [wanted, found] = "version" in check
    ? [check.version, version]
    : [check.revision, revision];
  return found !== undefined && wanted !== found;
}

function decideChanges(
  taken: TakenWrite,
  known: Known,
  limits: Limits,
): PlannedWrite {
  const { checks } = taken.write;
  const own: Known = new Map();
  const seen = new Map<string, SeenValue>();
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
    try {
      let decided: Next;
      if (typeof next === "function") {
        const value = (own.get(name) ?? known.get(name))?.value;
        // What the write itself has made of the entry is not asked.
        if (!own.has(name)) seen.set(name, { kind, key, value });
        decided = next(value?.slice());
      } else decided = next;
      assertChangeFits(taken.write, kind, key, decided, limits);
      changes.push({ kind, key, next: decided, mayRemove });
      if (decided !== "keep") note(own, { kind, key }, valueOf(decided));
    } catch (error) {
      const decided = {
        checks,
        seen: [...seen.values()],
        changes: [],
        end: "fails",
      } as const;
      return { taken, decided, failure: { error, at } };
    }
  }
  for (const [name, entry] of own) known.set(name, entry);
  const decided = {
    checks,
    seen: [...seen.values()],
    changes,
    end: "done",
  } as const;
  return { taken, decided };
}

function isRemoved({ kind, range }: RangeRemoval, entry: EntryName): boolean {
  return entry.kind === kind && isInRange(range, entry.key);
}

function note(
  known: Known,
  { kind, key }: EntryName,
  value: Uint8Array | undefined,
): void {
  const number = value === undefined ? 0 : undefined;
  const entry = { kind, key, value, version: number, revision: number };
  known.set(nameOf(kind, key), entry);
}

/** The bytes that are there afterwards. What has expired by now is gone at once. */
function valueOf(next: Exclude<Next, "keep">): Uint8Array | undefined {
  if (next === "remove") return undefined;
  const { value, expiresAt } = next;
  const isGone = typeof expiresAt === "number" && expiresAt <= Date.now();
  return isGone ? undefined : value;
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

function mayWrite({ decided: { changes, end } }: PlannedWrite): boolean {
  return end === "done" &&
    changes.some((change) => "range" in change || change.next !== "keep");
}

function nameOf(kind: string, key: string): string {
  return `${kind}\0${key}`;
}
