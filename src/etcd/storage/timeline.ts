/**
 * Finds the revision of etcd for a revision of the store. The two differ, because
 * etcd's revisions also count the writes of other programs.
 *
 * The record at a revision of etcd tells which revision the store had then. So
 * a search finds the transaction of a revision. It interpolates, and in a cluster
 * with one store the first guess is close.
 *
 * @module
 */
import { prunedPast, putBack } from "../../engine/log_ends.ts";
import type { Keys } from "../format/keys.ts";
import { type PlacedRecord, recordOf } from "../format/record.ts";
import { isCompacted, isFuture } from "../gateway/failure.ts";
import type { Gateway, ReadOptions } from "../gateway/gateway.ts";
import { firstOf, numberOf, type WatchAnswer } from "../gateway/messages.ts";

/** The current state of the store. */
export interface Now {
  /** Its newest record. */
  readonly record: PlacedRecord;
  /** The revision of etcd at which the record was read. */
  readonly at: number;
}

/** A moment of the store between two transactions, or inside one. */
export interface Place {
  /**
   * A revision of etcd at which the store was in this state. If the moment is
   * inside a transaction, the revision of etcd before that transaction.
   */
  readonly at: number;
  /** The record of the transaction that made the moment's last change. */
  readonly record: PlacedRecord;
}

/** Finds the transactions of a store. */
export class Timeline {
  readonly #gateway: Gateway;
  readonly #keys: Keys;
  /** The revision of etcd at which the store was created. */
  readonly born: number;
  /** The records that were read or written last, by the revision of their last change. */
  readonly #seen = new Map<number, PlacedRecord>();

  /** Takes the cluster, the store's keys, and the revision of etcd at which the store was created. */
  constructor(gateway: Gateway, keys: Keys, born: number) {
    this.#gateway = gateway;
    this.#keys = keys;
    this.born = born;
  }

  /** Reads the current state of the store. */
  async now(options?: ReadOptions): Promise<Now> {
    const answer = await this.#gateway.range(
      { key: this.#keys.record },
      options,
    );
    const kv = firstOf(answer);
    if (!kv) throw putBack("ahead", 0);
    return {
      record: this.note(recordOf(kv)),
      at: numberOf(answer.header?.revision),
    };
  }

  /** Remembers a record. */
  note(record: PlacedRecord): PlacedRecord {
    const seen = this.#seen;
    seen.delete(record.head);
    seen.set(record.head, record);
    if (seen.size > MOST_SEEN) seen.delete(seen.keys().next().value!);
    return record;
  }

  /** Forgets the remembered records, because the cluster was restored to an older state. */
  forget(): void {
    this.#seen.clear();
  }

  /**
   * The record at a revision of etcd; `undefined` if etcd has compacted that
   * revision or has not reached it.
   */
  async recordAt(
    at: number,
    options?: ReadOptions,
  ): Promise<PlacedRecord | undefined> {
    try {
      const answer = await this.#gateway.range(
        { key: this.#keys.record, revision: String(at) },
        options,
      );
      const kv = firstOf(answer);
      return kv && this.note(recordOf(kv));
    } catch (error) {
      if (isCompacted(error) || isFuture(error)) return undefined;
      throw error;
    }
  }

  /**
   * The record of the transaction that made a revision; for revision 0, the
   * first record. `undefined` if the store has not reached the revision, or if
   * etcd has compacted it.
   */
  async find(
    revision: number,
    now: Now,
    options?: ReadOptions,
  ): Promise<PlacedRecord | undefined> {
    if (revision > now.record.head) return undefined;
    const hints = [...this.#seen.values()];
    const guessed = await this.#search(revision, now, hints, options);
    if (guessed === now.record) return guessed;
    const found = guessed && await this.recordAt(guessed.at, options);
    if (found?.mark === guessed?.mark) return guessed;
    // The remembered records are from before the cluster was restored, or etcd
    // has compacted everything.
    this.#seen.clear();
    return await this.#search(revision, now, [], options);
  }

  async #search(
    revision: number,
    now: Now,
    hints: readonly PlacedRecord[],
    options?: ReadOptions,
  ): Promise<PlacedRecord | undefined> {
    // At `low` the store had not reached the revision; at `high` it had.
    let low = { at: this.born - 1, head: -1 };
    let high = now.record;
    for (const seen of hints) {
      if (seen.at > now.record.at) continue;
      if (seen.head >= revision && seen.head < high.head) high = seen;
      if (seen.head < revision && seen.head > low.head) low = seen;
    }
    for (let tries = 0; high.first > revision; tries++) {
      if (low.at >= high.before) {
        // Only the record before `high` can still have the revision.
        return await this.#before(high, revision, options);
      }
      const at = guess(low, high, revision, tries);
      const found = await this.recordAt(at, options);
      if (!found) low = { at, head: low.head };
      else if (found.head >= revision) high = found;
      else low = { at, head: found.head };
    }
    return high;
  }

  async #before(
    high: PlacedRecord,
    revision: number,
    options?: ReadOptions,
  ): Promise<PlacedRecord | undefined> {
    if (high.first <= revision) return high;
    const found = await this.recordAt(high.at - 1, options);
    return found && found.first <= revision && found.head >= revision
      ? found
      : undefined;
  }

  /** The moment after a change. Rejects with `WatchOverflowError` if the log does not have the change. */
  async placeOf(
    revision: number,
    now: Now,
    options?: ReadOptions,
  ): Promise<Place> {
    const { record } = now;
    if (revision > record.head) throw putBack("ahead", revision);
    // It is the newest change.
    if (revision === record.head) return { at: now.at, record };
    const next = await this.find(revision + 1, now, options);
    if (!next) throw prunedPast(revision, await this.oldest(now, options));
    const at = next.at - 1;
    if (next.first <= revision) return { at, record: next };
    const own = await this.recordAt(at, options);
    if (!own) throw prunedPast(revision, await this.oldest(now, options));
    return { at, record: own };
  }

  /** The oldest revision whose change etcd still has. If it has no change, the next revision. */
  async oldest(now: Now, options?: ReadOptions): Promise<number> {
    if (await this.recordAt(this.born, options)) return 1;
    const compacted = await this.#compacted(options);
    const record = await this.recordAt(compacted, options);
    return (record?.head ?? now.record.head) + 1;
  }

  /** The revision up to which etcd has compacted. Only the error of a watch tells it. */
  async #compacted({ signal }: ReadOptions = {}): Promise<number> {
    const stop = new AbortController();
    const request = { key: this.#keys.meta, start_revision: "1" };
    const answers = this.#gateway.stream(
      "watch",
      { create_request: request },
      {
        signal: AbortSignal.any(signal ? [stop.signal, signal] : [stop.signal]),
        silence: SILENCE_MS,
      },
    );
    for await (const answer of answers) {
      const { compact_revision, events } = answer as WatchAnswer;
      if (compact_revision !== undefined) return numberOf(compact_revision);
      // It still has its first revision.
      if (events) break;
    }
    return this.born;
  }
}

const MOST_SEEN = 64;

/** How long a watch may send nothing before it tells the compaction, in ms. */
const SILENCE_MS = 10_000;

interface Point {
  readonly at: number;
  readonly head: number;
}

/**
 * The next revision of etcd to look at, past `low` and before `high`. It
 * interpolates, but every third try takes the middle, so that the search is short
 * in any case.
 */
function guess(
  low: Point,
  high: PlacedRecord,
  revision: number,
  tries: number,
): number {
  const { at, first } = high;
  const room = at - low.at;
  const isHalving = tries % 3 === 2 || first <= low.head;
  const part = isHalving
    ? 0.5
    : (revision - low.head) / Math.max(1, first - low.head);
  const step = Math.ceil(room * part);
  return Math.max(low.at + 1, Math.min(at - 1, low.at + step));
}
