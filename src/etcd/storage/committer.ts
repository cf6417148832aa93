/**
 * Sends a transaction, and finds out whether it took effect.
 *
 * @module
 */
import { sleep } from "../../base/slice.ts";
import { StoreClosedError } from "../../contract/errors.ts";
import { Backoff } from "../../remote/backoff.ts";
import type { Keys } from "../format/keys.ts";
import {
  type LogRecord,
  type PlacedRecord,
  recordOf,
} from "../format/record.ts";
import { Cut, EtcdError, isOutOfSpace } from "../gateway/failure.ts";
import type { Gateway } from "../gateway/gateway.ts";
import {
  firstOf,
  numberOf,
  type Op,
  type TxnAnswer,
} from "../gateway/messages.ts";
import type { Timeline } from "./timeline.ts";
import { transactionOf } from "./transaction.ts";

/** The outcome of a transaction that was sent and not refused: its record, or why the outcome is unclear. */
export type Sent =
  | { readonly record: PlacedRecord }
  | { readonly unclear: unknown };

/** The parts and settings of a committer. */
export interface CommitterOptions {
  readonly gateway: Gateway;
  readonly keys: Keys;
  readonly timeline: Timeline;
  readonly mostOps: number;
}

/** Sends the transactions of one writer. */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #id = crypto.randomUUID();
  #batch = 0;

  /** Takes its parts and settings. */
  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Sends operations with a record. Returns "stale" if another writer was faster. */
  async commit(
    ops: readonly Op[],
    given: Omit<LogRecord, "by" | "batch">,
    deadline: number,
  ): Promise<Sent | "stale"> {
    const { gateway, keys, mostOps, timeline } = this.#options;
    const record = { ...given, by: this.#id, batch: ++this.#batch };
    const txn = transactionOf(keys, record.before, ops, record, mostOps);
    const backoff = new Backoff();
    let mayHaveArrived = false;
    for (;;) {
      if (!mayHaveArrived && gateway.isClosed) throw new StoreClosedError();
      try {
        const answer = await gateway.call<TxnAnswer>("kv/txn", txn, {
          isSentOnce: true,
        });
        if (answer.succeeded) {
          const at = numberOf(answer.header.revision);
          return { record: timeline.note({ ...record, at }) };
        }
        // An intermediary may have sent the request twice. Then this is the
        // answer to the second one.
        const kv = firstOf(answer.responses?.[0]?.response_range);
        return await this.#follower(record, kv && recordOf(kv));
      } catch (error) {
        if (isOutOfSpace(error)) {
          // etcd gives this error also for the transaction that used up the
          // space, although it took effect.
          const sent = await this.#find(record, error);
          if (sent !== "stale") return sent;
        }
        const isCut = error instanceof Cut;
        mayHaveArrived ||= isCut && error.mayHaveArrived;
        const isOver = performance.now() >= deadline || gateway.isClosed;
        if (!mayHaveArrived) {
          if (!isCut || isOver) throw error;
        } else if (isOver || !(isCut || error instanceof EtcdError)) {
          return { unclear: error };
        }
      }
      await sleep(backoff.next(deadline));
    }
  }

  /** Finds out whether a refused transaction took effect anyway. */
  async #find(record: LogRecord, refusal: unknown): Promise<Sent | "stale"> {
    try {
      const { record: newest } = await this.#options.timeline.now();
      return await this.#follower(record, newest);
    } catch {
      return { unclear: refusal };
    }
  }

  /** Finds out which transaction followed the previous record: this one, or another one. */
  async #follower(
    record: LogRecord,
    newest: PlacedRecord | undefined,
  ): Promise<Sent | "stale"> {
    let found = newest;
    while (found && found.before > record.before) {
      found = await this.#options.timeline.recordAt(found.before);
    }
    if (!found) {
      return {
        unclear: new Error(
          "etcd compacted the record that shows whether the write took effect",
        ),
      };
    }
    const isOwn = found.by === record.by && found.batch === record.batch;
    return isOwn ? { record: found } : "stale";
  }

  /** Sends operations that change no entry, without a record and without a retry. */
  async clear(
    ops: readonly Op[],
    after: PlacedRecord,
  ): Promise<void | "stale"> {
    const { gateway, keys, mostOps } = this.#options;
    const txn = transactionOf(keys, after.at, ops, undefined, mostOps);
    const { succeeded } = await gateway.call<TxnAnswer>("kv/txn", txn);
    return succeeded ? undefined : "stale";
  }
}
