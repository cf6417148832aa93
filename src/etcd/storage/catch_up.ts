/**
 * Reads the part of the log that the feed does not have. Each read follows its
 * own stream of etcd. It leaves the stream open for a moment, because the next
 * page is likely to continue from there.
 *
 * @module
 */
import type { WatchOverflowError } from "../../contract/errors.ts";
import { prunedPast } from "../../engine/log_ends.ts";
import { startBackgroundTimer } from "../../base/background_timer.ts";
import { type EtcdChange, PreviousMissing } from "../format/changes.ts";
import type { Keys } from "../format/keys.ts";
import type { PlacedRecord } from "../format/record.ts";
import { Compacted } from "../gateway/failure.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { BEGUN, type Transaction, transactionsAfter } from "./change_stream.ts";
import type { Place } from "./timeline.ts";

/** The most streams that are left open. */
const MOST_OPEN = 8;
/** How long a stream is left open, in ms. */
const OPEN_MS = 1_000;

/** Where a stream begins, and how long it may send nothing. */
export interface CatchUpOptions {
  readonly place: Place;
  /** The change after which it begins. */
  readonly revision: number;
  /** How long it may send nothing while changes are awaited, in ms. */
  readonly silence: number;
}

/** A stream of changes, which was read up to a change. */
export class CatchUp {
  readonly #transactions: AsyncIterator<Transaction | typeof BEGUN, void>;
  readonly #stop = new AbortController();
  /** The changes that have arrived and are not yet read. */
  #open: readonly EtcdChange[] = [];
  #record: PlacedRecord;
  #revision: number;

  /** Opens a stream after a change. */
  constructor(
    gateway: Gateway,
    keys: Keys,
    { place, revision, silence }: CatchUpOptions,
  ) {
    this.#record = place.record;
    this.#revision = revision;
    const { signal } = this.#stop;
    const told = transactionsAfter(gateway, keys, place.at, {
      signal,
      silence,
    });
    this.#transactions = told[Symbol.asyncIterator]();
  }

  /** The revision up to which it was read. */
  get revision(): number {
    return this.#revision;
  }

  /** The revision up to which its changes have arrived, read or not. */
  get told(): number {
    return this.#open.at(-1)?.revision ?? this.#revision;
  }

  /** The record of the change up to which it was read. */
  get record(): PlacedRecord {
    return this.#record;
  }

  /** The next changes up to a revision that the store has reached; `undefined` at the end. */
  async next(
    until: number,
  ): Promise<readonly EtcdChange[] | undefined> {
    while (this.#open.length === 0) {
      if (this.#revision >= until) return undefined;
      const { value: told } = await this.#read();
      if (!told) return undefined;
      if (told === BEGUN || told.record.head <= this.#revision) continue;
      if (told.record.first > this.#revision + 1) throw gone(this.#revision);
      this.#open = told.changes.filter(({ revision }) =>
        revision > this.#revision
      );
      this.#record = told.record;
    }
    return this.#open;
  }

  async #read() {
    try {
      return await this.#transactions.next();
    } catch (error) {
      const isGone = error instanceof Compacted ||
        error instanceof PreviousMissing;
      throw isGone ? gone(this.#revision) : error;
    }
  }

  /** Marks the first changes that `next` gave as read. */
  pass(count: number): void {
    this.#revision = this.#open[count - 1].revision;
    this.#open = this.#open.slice(count);
  }

  /** Closes the stream. */
  close(): void {
    this.#stop.abort();
    // This settles, because the abort ends a pending read.
    this.#transactions.return?.().then(undefined, () => {});
  }
}

/** The error if the next change has left etcd. */
function gone(revision: number): WatchOverflowError {
  return prunedPast(revision, revision + 2);
}

/** The streams that are left open. */
export class CatchUps {
  readonly #left = new Set<{ stream: CatchUp; forget: () => void }>();

  /** Takes an open stream that was read up to a change; `undefined` if no stream matches. */
  take(revision: number, mark: number | undefined): CatchUp | undefined {
    for (const left of this.#left) {
      const { stream } = left;
      if (stream.revision !== revision) continue;
      if (mark !== undefined && stream.record.mark !== mark) continue;
      this.#left.delete(left);
      left.forget();
      return stream;
    }
    return undefined;
  }

  /** Leaves a stream open for a moment. */
  leave(stream: CatchUp): void {
    const forget = startBackgroundTimer(OPEN_MS, () => drop());
    const left = { stream, forget };
    const drop = () => {
      if (!this.#left.delete(left)) return;
      forget();
      stream.close();
    };
    this.#left.add(left);
    const [oldest] = this.#left;
    if (this.#left.size <= MOST_OPEN) return;
    this.#left.delete(oldest);
    oldest.forget();
    oldest.stream.close();
  }

  /** Closes all streams. */
  close(): void {
    for (const { stream, forget } of this.#left) {
      forget();
      stream.close();
    }
    this.#left.clear();
  }
}
