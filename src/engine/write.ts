/**
 * Writes as data: a store passes them to its engine, and gets their outcomes.
 *
 * A write has checks and changes. A change may be a decision: a function of the
 * entry's bytes, which the engine calls at the change's place. The engine may
 * call it again: a far engine decides on the bytes that it saw last, and learns
 * only later that another writer was faster.
 *
 * @module
 */
import type { EntryCondition } from "../contract/errors.ts";
import type { SetStatus } from "../contract/write.ts";
import type { KeyRange } from "../keys/key_range.ts";
import type { EntryState } from "./entries.ts";

/** The kind and the key of an entry. */
export interface EntryName {
  readonly kind: string;
  readonly key: string;
}

/** A condition on an entry. Version and revision 0 mean "does not exist". */
export type Check = EntryName & EntryCondition;

/** Properties of a new entry that comes from elsewhere. */
export interface Origin {
  /** @default {1} */
  readonly version?: number;
  /** @default {now} */
  readonly updatedAt?: Date;
}

/**
 * The bytes to store, and their expiry. The engine may keep the bytes, because
 * nobody changes them.
 */
export interface Put {
  readonly value: Uint8Array;
  /**
   * The time from which the entry is gone, in ms since 1970. Absent: never.
   * `"keep"`: the entry keeps its expiry, if it has one.
   */
  readonly expiresAt?: number | "keep";
  /** Only imports give it. */
  readonly origin?: Origin;
}

/**
 * The new state of an entry. `"keep"` leaves the entry as it is, or missing.
 */
export type Next = Put | "remove" | "keep";

/**
 * Decides the new state of an entry from its present bytes, which are
 * `undefined` if the entry does not exist. The function owns the bytes, and may
 * change them.
 *
 * It is synchronous, and has no effect on the store. It sees the results of
 * earlier changes of the same write, and of earlier writes of the same batch.
 * The engine may call it several times, and carries out the last answer. It may
 * call it even if a check fails in the end. If the function throws, only its
 * write fails.
 *
 * It does not see the version or the time, because a far engine cannot know
 * them before the server has run the batch.
 */
export type Decide = (value: Uint8Array | undefined) => Next;

/** A change of one entry. */
export interface EntryChange extends EntryName {
  readonly next: Next | Decide;
  /**
   * Whether a decision may answer `"remove"`. The effect then has the removed
   * entry.
   */
  readonly mayRemove?: boolean;
}

/** The removal of all entries of a kind in a range of keys, in key order. */
export interface RangeRemoval {
  readonly kind: string;
  readonly range: KeyRange;
}

/** One step of a write. */
export type Change = EntryChange | RangeRemoval;

/** A write as data. It takes effect whole or not at all. */
export interface Write {
  /** The action, for messages: `set "users"/"alice"`. */
  readonly action: string;
  /**
   * All must hold before the first change. The outcome names the first check
   * that fails.
   */
  readonly checks: readonly Check[];
  /**
   * Whether one change of it may change many entries. Then it is alone in its
   * transaction.
   */
  readonly isBulk?: boolean;
  /**
   * The largest number of changes, the same at each call. 0: the write asks for
   * the newest revision at its place.
   */
  size(): number;
  /**
   * The changes, in order, the same at each call. The engine calls it for each
   * attempt, and may take the changes slowly: the event loop may turn between
   * two of them.
   */
  changes(): Iterable<Change>;
}

/** The number of checks and changes of a write. */
export function weightOf(write: Write): number {
  return write.checks.length + write.size();
}

/**
 * Whether a write is too large to share a transaction that has room for
 * `mostShared` checks and changes.
 */
export function isLone(write: Write, mostShared: number): boolean {
  return write.isBulk === true || weightOf(write) > mostShared;
}

/** The effect of one change. */
export interface Effect {
  /**
   * `"unchanged"`: the entry had this value and expiry already, or there was
   * nothing to remove.
   */
  readonly status: SetStatus | "removed";
  /**
   * The entry's version now. If a decision removed the entry, its last version.
   */
  readonly version: number;
  /**
   * The revision of the change. If nothing changed, the revision of the entry's
   * last change, or 0 if there is no entry. For a range, the revision of the
   * last removal, or 0.
   */
  readonly revision: number;
  /** The other properties of the entry, if a decision removed it. */
  readonly removed?: RemovedEntry;
  /** For a range: the number of removed entries. */
  readonly count?: number;
}

/**
 * The properties of an entry that a decision removed, besides its value and
 * version.
 */
export interface RemovedEntry {
  /** The revision of the entry's last change before the removal. */
  readonly revision: number;
  readonly updatedAt: Date;
  readonly expiresAt: number | undefined;
}

/** The entry that a failed check found. */
export type Found = EntryState;

/**
 * A write that took effect, with the durability that the store was opened with.
 */
export interface Done {
  readonly type: "done";
  /** One effect for each change, in their order. */
  readonly effects: readonly Effect[];
  /** The newest revision at the write's place in the order. */
  readonly revision: number;
}

/** A write that a check refused: nothing was written. */
export interface Refused {
  readonly type: "refused";
  readonly check: Check;
  /** `undefined` if there is no entry. */
  readonly found: Found | undefined;
}

/**
 * A write that failed alone. Nothing of it was written, and the other writes of
 * its batch are not affected.
 */
export interface Failed {
  readonly type: "failed";
  /**
   * The error for the caller: thrown by a decision, or a `StoreError` of the
   * engine.
   */
  readonly error: unknown;
  /** The number of the change that failed, from 0. */
  readonly at?: number;
}

/** A write with an unknown effect. It is never retried. */
export interface Unclear {
  readonly type: "unclear";
  readonly error: unknown;
}

/** The outcome of a write. */
export type Outcome = Done | Refused | Failed | Unclear;

/** The waiting writes, in the order of their calls. */
export interface Batch {
  /**
   * The next write, or `undefined` if no other may share this transaction. The
   * returned write has begun, so an abort comes too late. Aborted writes are
   * left out. Writes that were called after the batch began may be included.
   */
  next(): Write | undefined;
}
