/**
 * The transactions of a store after a place, as a watch of etcd tells them:
 * whole, and in their order.
 *
 * @module
 */
import { changesOf, type EtcdChange } from "../format/changes.ts";
import type { Keys } from "../format/keys.ts";
import { type PlacedRecord, recordOf } from "../format/record.ts";
import { EtcdError } from "../gateway/failure.ts";
import type { Gateway } from "../gateway/gateway.ts";
import {
  type KeyEvent,
  numberOf,
  type WatchAnswer,
} from "../gateway/messages.ts";

/** A transaction. */
export interface Transaction {
  readonly record: PlacedRecord;
  readonly changes: readonly EtcdChange[];
  /** How much it is, about, in bytes. */
  readonly bytes: number;
}

/** etcd has compacted changes that were asked for. */
export class Compacted extends Error {}

/** The watch has begun: from here on the transactions come as they are made. */
export const BEGUN = Symbol("begun");

/**
 * Watches from a revision of etcd on. The transaction of that revision itself is
 * left out. Throws `Compacted`, and `Cut` when the stream is cut.
 */
export async function* transactionsAfter(
  gateway: Gateway,
  keys: Keys,
  at: number,
  signal: AbortSignal,
): AsyncGenerator<Transaction | typeof BEGUN, void> {
  const request = {
    ...keys.watched,
    // With the one before: if etcd has compacted that, the next one may lack
    // what it deleted, and what it replaced.
    start_revision: String(Math.max(1, at)),
    prev_kv: true,
    fragment: true,
  };
  const answers = gateway.stream("watch", { create_request: request }, signal);
  let open: KeyEvent[] = [];
  for await (const answer of answers) {
    const { created, canceled, events = [], fragment, ...rest } =
      answer as WatchAnswer;
    if (canceled) throw canceledBy(rest);
    if (created) yield BEGUN;
    for (const event of events) {
      if (open.length > 0 && revisionOf(open[0]) !== revisionOf(event)) {
        yield* transactionOf(keys, open, at);
        open = [];
      }
      open.push(event);
    }
    // The rest of it comes with the next answer.
    if (fragment || open.length === 0) continue;
    yield* transactionOf(keys, open, at);
    open = [];
  }
}

function* transactionOf(
  keys: Keys,
  events: readonly KeyEvent[],
  after: number,
): Generator<Transaction, void> {
  if (revisionOf(events[0]) <= after) return;
  const own = events.find(({ kv, type }) =>
    kv.key === keys.record && type !== "DELETE"
  );
  // No store wrote it.
  if (!own) return;
  const record = recordOf(own.kv);
  // The store was made just now.
  if (record.head === 0) return;
  const others = events.filter(({ kv }) => kv.key !== keys.record);
  const changes = changesOf(keys, record, others);
  let bytes = 0;
  for (const { value, previous } of changes) {
    bytes += value.byteLength + (previous?.byteLength ?? 0) + 200;
  }
  yield { record, changes, bytes };
}

function revisionOf({ kv }: KeyEvent): number {
  return numberOf(kv.mod_revision);
}

function canceledBy(
  { compact_revision, cancel_reason = "the watch was canceled" }: WatchAnswer,
): Error {
  if (compact_revision !== undefined || /compacted/.test(cancel_reason)) {
    return new Compacted();
  }
  return /permission|auth/i.test(cancel_reason)
    ? new EtcdError(/permission/.test(cancel_reason) ? 7 : 16, cancel_reason)
    : new Error(cancel_reason);
}
