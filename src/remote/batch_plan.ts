/**
 * Plans a batch before it is sent: its writes, with their decisions made on
 * earlier answers of the server.
 *
 * The invariant: a decision never counts by itself. The bytes that it saw are
 * sent to the server as a condition of the write, even if it answered `"keep"`,
 * or threw. If the condition does not hold, the server stops at this write, and
 * the client reads and decides again.
 *
 * A decision is asked only if the checks of its write hold, as far as the
 * client knows. If the batch itself changes an entry, the client knows the
 * entry's bytes, but not its version.
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
  type EntryChange,
  type EntryName,
  type Next,
  type Outcome,
  type RangeRemoval,
  weightOf,
  type Write,
} from "../engine/write.ts";
import { isInRange } from "../keys/key_range.ts";

/** The size from which a request takes no more writes. */
export interface RequestSize {
  /** Checks and changes. */
  readonly weight: number;
  /** Bytes of values. */
  readonly bytes: number;
}

/** A server's entry under a name; `undefined` means that there is no entry. */
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

/** A time span of the server, in ms since 1970, from `from` to before `until`. */
export interface TimeSpan {
  readonly from: number;
  readonly until: number;
}

/** A change of one entry whose decision is made. */
export interface DecidedEntryChange extends EntryName {
  readonly next: Next;
  /** Whether the client wants to know the removed entry. */
  readonly mayRemove?: boolean;
}

/** A change that the server can carry out. */
export type DecidedChange = DecidedEntryChange | RangeRemoval;

/** The outcome of a write whose conditions hold. */
export type DecidedEnd =
  /** Its changes are made. */
  | "done"
  /** It fails, for example because a decision threw. Nothing is written. */
  | "fails"
  /** A check should refuse it, but the client's knowledge is stale. */
  | "stale";

/** A write with its decisions made. Its conditions are checked before its first change. */
export interface DecidedWrite {
  readonly checks: readonly Check[];
  readonly seen: readonly SeenValue[];
  /**
   * The time span in which the write may be carried out. It is present if a
   * decision saw an entry that the write itself put, and that expires. At
   * another time, the decision is stale.
   */
  readonly time?: TimeSpan;
  readonly changes: readonly DecidedChange[];
  readonly end: DecidedEnd;
}

/** The error of a write, and the number of its failed change. */
export interface WriteFailure {
  readonly error: unknown;
  readonly at?: number;
}

/** A write from the queue, with its changes read once. */
export interface TakenWrite {
  readonly write: Write;
  readonly changes: readonly Change[];
  /** The write fails by itself, whatever the server has. */
  readonly failure?: WriteFailure;
}

/** A write to be sent. */
export interface PlannedWrite {
  readonly taken: TakenWrite;
  readonly decided: DecidedWrite;
  /** The error for the caller if the server confirms what the decisions saw. */
  readonly failure?: WriteFailure;
}

/**
 * The known state of an entry. Version and revision are `undefined` if the
 * batch itself changes them.
 */
interface KnownEntry extends EntryName {
  readonly value: Uint8Array | undefined;
  readonly version: number | undefined;
  readonly revision: number | undefined;
  /** The time at which the entry expires, if the batch itself put it. */
  readonly expiresAt?: number;
}

/** The known entries, by kind and key. */
type Known = Map<string, KnownEntry>;

/** Takes writes until the request is full. The last write may exceed the limit. */
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

/** The entries that the decisions need, and those that decide whether the decisions are asked. */
export function decidedNames(taken: readonly TakenWrite[]): EntryName[] {
  const names = new Map<string, EntryName>();
  const add = ({ kind, key }: EntryName) =>
    names.set(nameOf(kind, key), { kind, key });
  for (const { write, changes } of taken) {
    const decisions = changes.filter(isDecision);
    decisions.forEach(add);
    if (decisions.length > 0) write.checks.forEach(add);
  }
  return [...names.values()];
}

function isDecision(change: Change): change is EntryChange {
  return "next" in change && typeof change.next === "function";
}

/**
 * Decides each write on the known entries, and on the results of the writes
 * before it. It leaves out writes at the end that do not fit, and writes whose
 * checks need the results of earlier writes. The queue passes them again.
 */
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
    if (!canBeJudged(each, known)) break;
    const plan = planWrite(each, known, limits);
    bytes += bytesOf(plan.decided);
    if (bytes > size.bytes && planned.length > 0) break;
    planned.push(plan);
  }
  return planned;
}

/** The bytes of values that a write sends. */
function bytesOf({ seen, changes }: DecidedWrite): number {
  let bytes = 0;
  for (const { value } of seen) bytes += value?.byteLength ?? 0;
  for (const change of changes) {
    if ("range" in change || typeof change.next !== "object") continue;
    bytes += change.next.value.byteLength;
  }
  return bytes;
}

/** Decides a write. If it does not fail, its results are added to `known`. */
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

/** Whether the client can tell if the checks of a write with decisions hold. */
function canBeJudged({ write, changes }: TakenWrite, known: Known): boolean {
  return !changes.some(isDecision) ||
    write.checks.every((check) => judge(check, known) !== undefined);
}

/** Whether a check does not hold, as far as the client knows. */
function isRefused(check: Check, known: Known): boolean {
  return judge(check, known) === false;
}

/** Whether a check holds; `undefined` if the client does not know. */
function judge(check: Check, known: Known): boolean | undefined {
  const entry = known.get(nameOf(check.kind, check.key));
  if (!entry) return undefined;
  const { value, version, revision } = entry;
  if ("exists" in check) return check.exists === (value !== undefined);
  const [wanted, found] = "version" in check
    ? [check.version, version]
    : [check.revision, revision];
  return found === undefined ? undefined : wanted === found;
}

function decideChanges(
  taken: TakenWrite,
  known: Known,
  limits: Limits,
): PlannedWrite {
  const { write: { checks } } = taken;
  const own: Known = new Map();
  const sight = new Sight(known, own);
  const changes: DecidedChange[] = [];
  for (const [at, change] of taken.changes.entries()) {
    if ("range" in change) {
      changes.push(change);
      for (const entry of [...known.values(), ...own.values()]) {
        if (isRemoved(change, entry)) note(own, entry, undefined);
      }
      continue;
    }
    const { kind, key, next: given, mayRemove } = change;
    try {
      const next = typeof given === "function"
        ? given(sight.of(change)?.slice())
        : given;
      assertChangeFits(taken.write, kind, key, next, limits);
      changes.push({ kind, key, next, mayRemove });
      if (next !== "keep") notePut(own, change, next);
    } catch (error) {
      const end = { changes: [], end: "fails" } as const;
      const decided = { checks, ...sight.conditions, ...end };
      return { taken, decided, failure: { error, at } };
    }
  }
  for (const [name, entry] of own) known.set(name, entry);
  const decided = {
    checks,
    ...sight.conditions,
    changes,
    end: "done",
  } as const;
  return { taken, decided };
}

/** The entries that the decisions of a write see, and so the conditions of the write. */
class Sight {
  readonly #known: Known;
  readonly #own: Known;
  readonly #seen = new Map<string, SeenValue>();
  #time: TimeSpan | undefined;

  /** Takes the known entries before the write, and the results of the write itself. */
  constructor(known: Known, own: Known) {
    this.#known = known;
    this.#own = own;
  }

  /** The bytes of an entry at the place of a change. */
  of({ kind, key }: EntryName): Uint8Array | undefined {
    const name = nameOf(kind, key);
    const own = this.#own.get(name);
    // The server need not confirm what the write itself has put.
    if (own) {
      this.#limitTime(own);
      return own.value;
    }
    const value = this.#known.get(name)?.value;
    this.#seen.set(name, { kind, key, value });
    return value;
  }

  #limitTime({ value, expiresAt }: KnownEntry): void {
    if (expiresAt === undefined) return;
    const { from, until } = this.#time ?? { from: -Infinity, until: Infinity };
    this.#time = value === undefined
      ? { from: Math.max(from, expiresAt), until }
      : { from, until: Math.min(until, expiresAt) };
  }

  get conditions(): Pick<DecidedWrite, "seen" | "time"> {
    const seen = [...this.#seen.values()];
    return this.#time ? { seen, time: this.#time } : { seen };
  }
}

function isRemoved({ kind, range }: RangeRemoval, entry: EntryName): boolean {
  return entry.kind === kind && isInRange(range, entry.key);
}

/** Notes an entry after a change. If it has expired by now, it is gone at once. */
function notePut(
  own: Known,
  name: EntryName,
  next: Exclude<Next, "keep">,
): void {
  if (next === "remove") return note(own, name, undefined);
  const { value, expiresAt } = next;
  if (typeof expiresAt !== "number") return note(own, name, value);
  const isGone = expiresAt <= Date.now();
  note(own, name, isGone ? undefined : value, expiresAt);
}

function note(
  known: Known,
  { kind, key }: EntryName,
  value: Uint8Array | undefined,
  expiresAt?: number,
): void {
  const number = value === undefined ? 0 : undefined;
  known.set(nameOf(kind, key), {
    kind,
    key,
    value,
    version: number,
    revision: number,
    expiresAt,
  });
}

/**
 * The outcomes of a batch that may or may not have arrived. A write is unclear
 * if it changes anything; the others wrote nothing in any case.
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
