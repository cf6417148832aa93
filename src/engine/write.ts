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
import type { SetStatus } from "../contract/write.ts";

/** Where an entry is. */
export interface EntryName {
  readonly kind: string;
  readonly key: string;
}

/** A condition on an entry. Version 0 means "does not exist". */
export interface Check extends EntryName {
  readonly version: number;
}

/** What an entry that is created is to have, if it comes from elsewhere. */
export interface Origin {
  /** 1 without it. */
  readonly version?: number;
  /** Now without it. */
  readonly updatedAt?: Date;
}

/** The bytes to store. The engine may keep them: nobody changes them. */
export interface Put {
  readonly value: Uint8Array;
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
export interface Change extends EntryName {
  readonly next: Next | Decide;
  /** Whether a decision may answer `"remove"`: its effect then tells version and time. */
  readonly mayRemove?: boolean;
}

/** A write as data. It takes effect whole or not at all. */
export interface Write {
  /** What it does, for messages: `set "users"/"alice"`. */
  readonly action: string;
  /** All must hold before the first change. The first one that fails is told. */
  readonly checks: readonly Check[];
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

/** What one change did. */
export interface Effect {
  /** `"unchanged"`: the same bytes were there, or there was nothing to remove. */
  readonly status: SetStatus | "removed";
  /** The entry's version now. If a decision removed it: the last one it had. */
  readonly version: number;
  /** If a decision removed the entry: when it was last changed. */
  readonly updatedAt?: Date;
  /** The revision of the change, if it is not the newest one at the write's place. */
  readonly revision?: number;
}

/** The entry that a failed check found. */
export interface Found {
  readonly version: number;
}

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
