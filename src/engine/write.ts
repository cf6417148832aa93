/**
 * Writes as data: what a store hands to its engine, and what became of it.
 *
 * A write has checks and changes. A change may be a decision: a function of the
 * bytes that are there, which the engine asks at the change's place. It may ask
 * again, since an engine that is far away decides on what it saw last, and
 * learns only then that somebody else was faster.
 *
 * @module
 */
import type { EntryCondition } from "../contract/errors.ts";
import type { SetStatus } from "../contract/write.ts";
import type { KeyRange } from "../keys/key_range.ts";
import type { EntryState } from "./entries.ts";

/** Where an entry is. */
export interface EntryName {
  readonly kind: string;
  readonly key: string;
}

/** A condition on an entry. Version and revision 0 mean "does not exist". */
export type Check = EntryName & EntryCondition;

/** What an entry that is created is to have, if it comes from elsewhere. */
export interface Origin {
  /** 1 without it. */
  readonly version?: number;
  /** Now without it. */
  readonly updatedAt?: Date;
}

/** The bytes to store, and how long they last. The engine may keep the bytes: nobody changes them. */
export interface Put {
  readonly value: Uint8Array;
  /**
   * From when on the entry is gone, in ms since 1970; never if it is absent.
   * `"keep"`: the entry expires when it did before, if at all.
   */
  readonly expiresAt?: number | "keep";
  /** Import alone gives it. */
  readonly origin?: Origin;
}

/** What happens to an entry. `"keep"` leaves it as it is, or missing. */
export type Next = Put | "remove" | "keep";

/**
 * Decides what happens to an entry, from its bytes now; `undefined` if it does
 * not exist. The bytes are the function's own: it may change them.
 *
 * It is synchronous, and has no effect on the store. It sees what earlier
 * changes of the same write, and earlier writes of the same batch, leave. The
 * engine may ask several times: the last answer is the one that is carried out.
 * It may ask although a check fails in the end. If the function throws, the
 * write fails alone.
 *
 * It sees no version and no time: inside a batch, an engine that is far away
 * cannot know them before the server has run the batch.
 */
export type Decide = (value: Uint8Array | undefined) => Next;

/** A change of one entry. */
export interface EntryChange extends EntryName {
  readonly next: Next | Decide;
  /** Whether a decision may answer `"remove"`: its effect then tells what was removed. */
  readonly mayRemove?: boolean;
}

/** The removal of every entry of a kind in a range of keys, in key order. */
export interface RangeRemoval {
  readonly kind: string;
  readonly range: KeyRange;
}

/** One step of a write. */
export type Change = EntryChange | RangeRemoval;

/** A write as data. It takes effect whole or not at all. */
export interface Write {
  /** What it does, for messages: `set "users"/"alice"`. */
  readonly action: string;
  /** All must hold before the first change. The first one that fails is told. */
  readonly checks: readonly Check[];
  /**
   * Whether it may change many entries in one change: then it shares its
   * transaction with none.
   */
  readonly isBulk?: boolean;
  /**
   * How many changes it has, at most; the same each time it is asked. 0: the
   * write asks for the newest revision at its place.
   */
  size(): number;
  /**
   * The changes, in order; the same each time. The engine asks again for each
   * attempt, and may take them slowly: between two of them the event loop may
   * turn.
   */
  changes(): Iterable<Change>;
}

/** How many checks and changes a write has. */
export function weightOf(write: Write): number {
  return write.checks.length + write.size();
}

/** Whether a write is too large to share a transaction in which there is room for so many checks and changes. */
export function isLone(write: Write, mostShared: number): boolean {
  return write.isBulk === true || weightOf(write) > mostShared;
}

/** What one change did. */
export interface Effect {
  /** `"unchanged"`: the same value and expiry were there, or there was nothing to remove. */
  readonly status: SetStatus | "removed";
  /** The entry's version now. If a decision removed it: the last one it had. */
  readonly version: number;
  /**
   * The revision of the change; if nothing changed, the one of the entry's last
   * change, 0 if there is no entry. For a range: that of the last removal, or 0.
   */
  readonly revision: number;
  /** If a decision removed the entry: what else it had. */
  readonly removed?: RemovedEntry;
  /** Of a range: how many entries were removed. */
  readonly count?: number;
}

/** What an entry was that a decision removed, beside its value and version. */
export interface RemovedEntry {
  /** That of its last change before. */
  readonly revision: number;
  readonly updatedAt: Date;
  readonly expiresAt: number | undefined;
}

/** The entry that a failed check found. */
export type Found = EntryState;

/** A write that took effect, to the durability that the store was opened with. */
export interface Done {
  readonly type: "done";
  /** One for each change, in their order. */
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

/** A write that failed alone: nothing was written, and the others of its batch do not suffer. */
export interface Failed {
  readonly type: "failed";
  /** What its caller is told: thrown by a decision, or the engine's `StoreError`. */
  readonly error: unknown;
  /** Which change failed, from 0. */
  readonly at?: number;
}

/** A write of which the engine cannot find out whether it took effect. Nobody tries it again. */
export interface Unclear {
  readonly type: "unclear";
  readonly error: unknown;
}

/** What became of a write. */
export type Outcome = Done | Refused | Failed | Unclear;

/** The writes that wait, in the order of their calls. */
export interface Batch {
  /**
   * The next write, or `undefined` if none may share this transaction. The
   * write has begun: an abort comes too late. Aborted writes never come out.
   * Writes that were called since the batch began may still come out.
   */
  next(): Write | undefined;
}
