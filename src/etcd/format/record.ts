/**
 * The record of a transaction is the value of one key. Each transaction of
 * a store writes this key, on the condition that it is unchanged since the writer
 * read it.
 *
 * So the record puts all transactions of a store in one order, and numbers their
 * changes without a gap. It also holds facts that the events of etcd lack: the
 * order of the changes, the intermediate values of an entry, and the deletions.
 * etcd keeps the history of this key: the record at a revision of etcd tells
 * which revision the store had then. Only one transaction can follow a record,
 * and it names that record. So a writer that got no answer can find out whether
 * its transaction took effect.
 *
 * @module
 */
import {
  base64OfText,
  type KeyValue,
  numberOf,
  textOf,
} from "../gateway/messages.ts";

/**
 * A change that is not in etcd's event for the entry, because the same
 * transaction changed the entry again, or because the change is a deletion.
 */
export interface Step {
  readonly type: "create" | "update" | "delete" | "expire";
  readonly revision: number;
  readonly kind: string;
  readonly key: string;
  /** The entry that the change wrote, and that the same transaction replaced. */
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
  /** The revision of the transaction's first change. */
  readonly first: number;
  /** The revision of its last change. */
  readonly head: number;
  /** A random number. The same revision with another mark belongs to another history. */
  readonly mark: number;
  /** The time of the transaction, in ms since 1970. It decides which entries had expired. */
  readonly time: number;
  /** The revision of etcd at which the previous record was written; 0 for the first record. */
  readonly before: number;
  /** The id of the writer. */
  readonly by: string;
  /** The number of the writer's transaction. */
  readonly batch: number;
  readonly steps?: readonly Step[];
  /** Whether it deletes a range. If so, each deletion in etcd is a change, in etcd's order. */
  readonly isRange?: boolean;
}

/** A record, and the revision of etcd at which it was written. */
export interface PlacedRecord extends LogRecord {
  readonly at: number;
}

/** The record as JSON in base64. */
export function encodeRecord(record: LogRecord): string {
  return base64OfText(JSON.stringify(record));
}

/** Reads the record from its key. Throws a `SyntaxError` if the value is not JSON. */
export function recordOf({ value, mod_revision }: KeyValue): PlacedRecord {
  return { ...JSON.parse(textOf(value)), at: numberOf(mod_revision) };
}
