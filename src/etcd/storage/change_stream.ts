/**
 * The transactions of a store after a place, from a watch of etcd: whole, and in
 * their order.
 *
 * @module
 */
import { changesOf, type EtcdChange } from "../format/changes.ts";
import type { Keys } from "../format/keys.ts";
import { type PlacedRecord, recordOf } from "../format/record.ts";
import { Compacted, EtcdError } from "../gateway/failure.ts";
import type { Gateway, StreamOptions } from "../gateway/gateway.ts";
import {
  type KeyEvent,
  numberOf,
  type WatchAnswer,
} from "../gateway/messages.ts";
import { withPrevious } from "./previous_values.ts";

/** A transaction of the store. */
export interface Transaction {
  readonly record: PlacedRecord;
  readonly changes: readonly EtcdChange[];
  /** Its approximate size, in bytes. */
  readonly bytes: number;
}

/** The watch has begun. */
export const BEGUN = Symbol("begun");

/**
 * Watches the transactions after a revision of etcd. Throws `Compacted` if etcd
 * has compacted that revision, and `Cut` when the stream is cut.
 */
export async function* transactionsAfter(
  gateway: Gateway,
  keys: Keys,
  at: number,
  options: StreamOptions,
): AsyncGenerator<Transaction | typeof BEGUN, void> {
  const request = {
    ...keys.watched,
    // It asks for the revision before, too. If etcd has compacted that one, the
    // next transaction may lack the values that it deleted or replaced.
    start_revision: String(Math.max(1, at)),
    prev_kv: true,
    fragment: true,
  };
  const answers = gateway.stream("watch", { create_request: request }, options);
  const read = async (events: readonly KeyEvent[]) =>
    revisionOf(events[0]) > at
      ? await transactionOf(gateway, keys, events, options.signal)
      : undefined;
  let open: KeyEvent[] = [];
  for await (const answer of answers) {
    const { created, canceled, events = [], fragment, ...rest } =
      answer as WatchAnswer;
    if (canceled) throw canceledBy(rest);
    if (created) yield BEGUN;
    for (const event of events) {
      if (open.length > 0 && revisionOf(open[0]) !== revisionOf(event)) {
        const transaction = await read(open);
        if (transaction) yield transaction;
        open = [];
      }
      open.push(event);
    }
    // The next answer has the rest of the transaction.
    if (fragment || open.length === 0) continue;
    const transaction = await read(open);
    if (transaction) yield transaction;
    open = [];
  }
}

async function transactionOf(
  gateway: Gateway,
  keys: Keys,
  events: readonly KeyEvent[],
  signal: AbortSignal,
): Promise<Transaction | undefined> {
  const own = events.find(({ kv, type }) =>
    kv.key === keys.record && type !== "DELETE"
  );
  // Another program wrote this transaction.
  if (!own) return undefined;
  const record = recordOf(own.kv);
  // This transaction created the store.
  if (record.head === 0) return undefined;
  const others = events.filter(({ kv }) => kv.key !== keys.record);
  const complete = await withPrevious(gateway, others, signal);
  const changes = changesOf(keys, record, complete);
  let bytes = 0;
  for (const { value, previous } of changes) {
    bytes += value.byteLength + (previous?.byteLength ?? 0) + 200;
  }
  return { record, changes, bytes };
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
