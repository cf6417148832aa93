/**
 * Builds a transaction for the gateway.
 *
 * etcd limits how many operations a list has (128 by default). An operation may
 * itself be a transaction, which may have the operations that its parent leaves
 * of the limit. So nesting makes room for thousands.
 *
 * @module
 */
import type { Keys } from "../format/keys.ts";
import { encodeRecord, type LogRecord } from "../format/record.ts";
import type { Op, Txn } from "../gateway/messages.ts";

/** The default of `--max-txn-ops`: the most operations of a list. */
export const DEFAULT_MOST_OPS = 128;

/** The most operations of a transaction, with nesting. */
export function roomOf(mostOps: number): number {
  const outer = Math.floor(mostOps / 2);
  return outer * (mostOps - outer);
}

/** Operations and their record, on the condition that the newest record is still that of `since`. */
export function transactionOf(
  keys: Keys,
  since: number,
  ops: readonly Op[],
  record: LogRecord | undefined,
  mostOps: number,
): Txn {
  const all = record
    ? [
      ...ops,
      { request_put: { key: keys.record, value: encodeRecord(record) } },
    ]
    : ops;
  return {
    compare: [{
      key: keys.record,
      target: "MOD",
      result: "EQUAL",
      mod_revision: String(since),
    }],
    success: all.length <= mostOps ? all : nested(all, mostOps),
    failure: [{ request_range: { key: keys.record } }],
  };
}

function nested(ops: readonly Op[], mostOps: number): Op[] {
  const outer = Math.floor(mostOps / 2);
  const inner = Math.min(
    mostOps - outer,
    Math.max(1, Math.ceil(ops.length / outer)),
  );
  const nested: Op[] = [];
  for (let at = 0; at < ops.length; at += inner) {
    nested.push({ request_txn: { success: ops.slice(at, at + inner) } });
  }
  return nested;
}
