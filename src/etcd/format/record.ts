/**
 * The record of a transaction: the value of one key, which each transaction of
 * a store writes on the condition that nobody has written it since it was read.
 *
 * So the record puts all transactions of a store in one order, numbers their
 * changes without a gap, and tells what the events of etcd do not: the order of
 * the changes, what an entry was in between, and what was deleted. Its history
 * is etcd's own: the record as of a revision of etcd tells how far the store was
 * then. Only one transaction can follow a record, and it names that record, so
 * a writer without an answer finds out whether its transaction took effect.
 *
 * @module
 */
import {
  base64OfText,
  type KeyValue,
  numberOf,
  textOf,
} from "../gateway/messages.ts";

/** A change that the event of its entry does not tell: another one of the same transaction followed, or it is a deletion. */
export interface Step {
  readonly type: "create" | "update" | "delete" | "expire";
  readonly revision: number;
  readonly kind: string;
  readonly key: string;
  /** Of a value that was replaced in the same transaction. */
  readonly put?: {
    readonly version: number;
    readonly updatedAt: number;
    readonly expiresAt?: number;
    /** In base64. */
    readonly value: string;
  };
}

/** A record. */
export interface LogRecord {
  /** The revision of the transaction's first change, and of its last one. */
  readonly first: number;
  readonly head: number;
  /** What tells it from another store's transaction. */
  readonly mark: number;
  /** When it was made, in ms since 1970. What had expired then was gone. */
  readonly time: number;
  /** The revision of etcd at which the record before it was written; 0 if there was none. */
  readonly before: number;
  /** Who wrote it, and the number of that writer's transaction. */
  readonly by: string;
  readonly batch: number;
  readonly steps?: readonly Step[];
  /** Whether it deletes a range: then each deletion of etcd is a change, in their order. */
  readonly isRange?: boolean;
}

/** A record, and the revision of etcd at which it was written. */
export interface PlacedRecord extends LogRecord {
  readonly at: number;
}

/** The record as the gateway takes it. */
export function encodeRecord(record: LogRecord): string {
  return base64OfText(JSON.stringify(record));
}

/** The record that a key of etcd holds. Throws if it is none. */
export function recordOf({ value, mod_revision }: KeyValue): PlacedRecord {
  return { ...JSON.parse(textOf(value)), at: numberOf(mod_revision) };
}
