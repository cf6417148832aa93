/**
 * Converts the events of one transaction in etcd to changes of the store.
 *
 * @module
 */
import type { StoredChange } from "../../engine/entries.ts";
import { bytesOf, type KeyEvent, type KeyValue } from "../gateway/messages.ts";
import { type Kept, unwrap } from "./envelope.ts";
import type { Keys } from "./keys.ts";
import type { PlacedRecord } from "./record.ts";

/** A change, with the time of its entry. */
export interface EtcdChange extends StoredChange {
  /** In ms since 1970. After an import it may be earlier than the time of the change. */
  readonly updatedAt: number;
}

/** etcd has compacted the value that a change replaced. */
export class PreviousMissing extends Error {}

/** The changes of a transaction, in the order of their revisions. */
export function changesOf(
  keys: Keys,
  record: PlacedRecord,
  events: readonly KeyEvent[],
): EtcdChange[] {
  return record.isRange
    ? removals(keys, record, events)
    : new Told(keys, record, events).changes();
}

/** The deletions of a range. */
function removals(
  keys: Keys,
  record: PlacedRecord,
  events: readonly KeyEvent[],
): EtcdChange[] {
  return events.map(({ kv, prev_kv }, i) => {
    const before = keptOf(prev_kv);
    if (!before) throw new PreviousMissing();
    const isExpiry = before.expiresAt !== undefined &&
      before.expiresAt <= record.time;
    return deletion(
      { ...keys.nameOf(kv.key)!, revision: record.first + i, before },
      record,
      isExpiry,
    );
  });
}

interface Name {
  readonly kind: string;
  readonly key: string;
}

/** A change, without the entry before it. */
interface Draft extends Name {
  readonly revision: number;
  readonly type: "create" | "update" | "delete" | "expire";
  /** The entry that it wrote; absent for a deletion. */
  readonly put?: Pick<Kept, "value" | "version" | "expiresAt" | "updatedAt">;
}

/** Builds the changes of a transaction from its events and its record's steps. */
class Told {
  readonly #record: PlacedRecord;
  readonly #drafts: Draft[] = [];
  /** The entries: first as they were before the transaction, then after each change. */
  readonly #there = new Map<string, Draft["put"]>();

  constructor(keys: Keys, record: PlacedRecord, events: readonly KeyEvent[]) {
    this.#record = record;
    for (const { type, kv, prev_kv } of events) {
      const name = keys.nameOf(kv.key);
      if (!name) continue;
      this.#there.set(idOf(name), keptOf(prev_kv));
      const put = type === "DELETE" ? undefined : keptOf(kv);
      // A deletion is in the record's steps. Another program wrote a value that
      // cannot be read.
      if (!put) continue;
      const { revision, isNew } = put;
      this.#drafts.push({
        ...name,
        revision,
        type: isNew ? "create" : "update",
        put,
      });
    }
    for (const { put, ...step } of record.steps ?? []) {
      this.#drafts.push({
        ...step,
        ...(put
          ? {
            put: {
              version: put.version,
              expiresAt: put.expiresAt,
              updatedAt: put.updatedAt,
              value: new Uint8Array(bytesOf(put.value)),
            },
          }
          : {}),
      });
    }
    this.#drafts.sort((a, b) => a.revision - b.revision);
  }

  changes(): EtcdChange[] {
    return this.#drafts.map((draft) => this.#tell(draft));
  }

  #tell(draft: Draft): EtcdChange {
    const { kind, key, revision, type, put } = draft;
    const before = this.#there.get(idOf(draft));
    this.#there.set(idOf(draft), put);
    if (type !== "create" && !before) throw new PreviousMissing();
    if (!put) {
      return deletion(
        { kind, key, revision, before: before! },
        this.#record,
        type === "expire",
      );
    }
    return {
      revision,
      mark: this.#record.mark,
      kind,
      key,
      type: type as "create" | "update",
      isExpiry: false,
      version: put.version,
      value: put.value,
      ...(type === "update" ? { previous: before!.value } : {}),
      expiresAt: put.expiresAt,
      time: new Date(this.#record.time),
      updatedAt: put.updatedAt,
    };
  }
}

function deletion(
  { kind, key, revision, before }: Name & {
    readonly revision: number;
    readonly before: NonNullable<Draft["put"]>;
  },
  { mark, time }: PlacedRecord,
  isExpiry: boolean,
): EtcdChange {
  const { version, value, expiresAt } = before;
  return {
    revision,
    mark,
    kind,
    key,
    type: "delete",
    isExpiry,
    version,
    value,
    expiresAt,
    time: new Date(time),
    updatedAt: time,
  };
}

function keptOf(kv: KeyValue | undefined): Kept | undefined {
  return kv && unwrap(bytesOf(kv.value));
}

function idOf({ kind, key }: Name): string {
  return `${kind}\0${key}`;
}
