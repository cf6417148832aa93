/**
 * What the remote engine and its server say to each other. All of it is data:
 * the line between them clones it, so that nothing is shared.
 *
 * The invariant: a request may be sent again after a cut. Reads change nothing;
 * a batch of writes and a snapshot carry the number that makes them once.
 *
 * @module
 */
import type { ChangeFilter } from "../../../src/engine/change_log.ts";
import type { Cursor } from "../../../src/engine/cursor.ts";
import type {
  ChangePage,
  EntryState,
  StoredEntry,
  StoredValue,
} from "../../../src/engine/entries.ts";
import type { Limits } from "../../../src/engine/limits.ts";
import type { Page, PageOptions } from "../../../src/engine/page.ts";
import type { Effect, EntryName, Found } from "../../../src/engine/write.ts";
import type {
  DecidedWrite,
  SeenEntry,
} from "../../../src/remote/batch_plan.ts";
import type {
  StoreErrorCode,
  WatchOverflowReason,
} from "../../../src/contract/errors.ts";
import type { KeyRange } from "../../../src/keys/key_range.ts";
import type { PastMoment } from "../../../src/local/past_moment.ts";

/** What a server has room for. They are small, so that tests reach them. */
export const LIMITS: Limits = {
  nameBytes: 500,
  valueBytes: 64 * 1024,
  changes: 200,
  shared: 20,
};

/** The limits of a server that takes more at once than a test writes. */
export const UNLIMITED: Limits = {
  nameBytes: Infinity,
  valueBytes: Infinity,
  changes: Infinity,
  shared: 20,
};

/** Why a request or a write failed. An error itself cannot be sent. */
export interface Failure {
  readonly code: StoreErrorCode | "GONE";
  readonly message: string;
  /** Of an overflow. */
  readonly reason?: WatchOverflowReason;
}

/** What became of a write. */
export type WriteAnswer =
  | {
    readonly type: "done";
    readonly effects: readonly Effect[];
    readonly revision: number;
  }
  /** A check failed: its index. */
  | {
    readonly type: "refused";
    readonly check: number;
    readonly found: Found | undefined;
  }
  | { readonly type: "failed"; readonly failure: Failure; readonly at?: number }
  /** The write fails as its client said. */
  | { readonly type: "confirmed" };

/** What became of the first writes of a batch: of all up to a stale decision. */
export interface BatchAnswer {
  readonly writes: readonly WriteAnswer[];
  /** The newest revision. */
  readonly head: number;
}

/** A past revision, and the mark of its change: it tells whether the server was put back since. */
export interface MarkedMoment extends PastMoment {
  /** `undefined` if the log has pruned it. */
  readonly mark: number | undefined;
}

/**
 * The moment that a read is of: a snapshot, by its id, or a past revision. Now
 * without it.
 */
export interface At {
  readonly at?: string | MarkedMoment;
}

/** A read of a page. */
export interface PageRequest extends At {
  readonly kind: string;
  readonly range: KeyRange;
  readonly page?: PageOptions;
}

/** Each request: what it asks, and what the server answers. */
export interface Calls {
  hello: [ask: { client: string }, answer: { history: number; limits: Limits }];
  bye: [ask: { client: string }, answer: void];
  /** Whether the server is there. */
  ping: [ask: { client: string }, answer: void];

  write: [
    ask: { client: string; batch: number; writes: readonly DecidedWrite[] },
    answer: BatchAnswer,
  ];
  /** Several entries, of one moment. */
  see: [
    ask: { names: readonly EntryName[] },
    answer: SeenEntry[],
  ];

  value: [ask: EntryName & At, answer: Uint8Array | undefined];
  entry: [ask: EntryName & At, answer: StoredEntry | undefined];
  state: [ask: EntryName & At, answer: EntryState | undefined];
  some: [
    ask: { kind: string; keys: readonly string[] } & At,
    answer: StoredValue[],
  ];
  keys: [ask: PageRequest, answer: Page<string>];
  values: [ask: PageRequest, answer: Page<StoredValue>];
  entries: [ask: PageRequest, answer: Page<StoredEntry>];
  count: [
    ask: { kind: string; range: KeyRange; limit?: number } & At,
    answer: number,
  ];
  kinds: [ask: At, answer: string[]];

  openSnapshot: [ask: { client: string; id: string }, answer: void];
  closeSnapshot: [ask: { client: string; id: string }, answer: void];

  /** Which moment a view of the past is of. The server keeps nothing for it. */
  openPast: [ask: { at?: number; time?: number }, answer: MarkedMoment];

  head: [ask: undefined, answer: Cursor];
  oldest: [ask: undefined, answer: number];
  markOf: [ask: { revision: number }, answer: number | undefined];
  changes: [
    ask: { filter: ChangeFilter; after: number; limit: number; mark?: number },
    answer: ChangePage,
  ];
  changesBack: [
    ask: {
      filter: ChangeFilter;
      before: number;
      after: number;
      limit: number;
      mark?: number;
    },
    answer: ChangePage,
  ];
}

/** The name of a request. */
export type CallName = keyof Calls;
/** What a request asks. */
export type Ask<Name extends CallName> = Calls[Name][0];
/** What the server answers. */
export type Answer<Name extends CallName> = Calls[Name][1];

/** The server's answer to any request. */
export type Reply<Name extends CallName> =
  | { readonly ok: true; readonly answer: Answer<Name> }
  | { readonly ok: false; readonly failure: Failure };

/** Hears that the log has grown, and its newest revision. */
export type NewsListener = (head: number) => void;
