/**
 * Changes as records.
 *
 * @module
 */
import type { ChangeType, WatchEvent } from "../../contract/watch.ts";

/** A change, with its properties in the order of printing. */
export interface EventRecord {
  readonly type: ChangeType;
  readonly kind: string;
  readonly key: string;
  readonly value: unknown;
  /** Absent if it was not asked for, or does not exist. */
  readonly previous?: unknown;
  readonly version: number;
  readonly revision: number;
  readonly expiresAt?: Date;
  readonly expired?: true;
}

/** The record of a change. */
export function eventRecord(event: WatchEvent): EventRecord {
  const { type, kind, key, value, version, revision } = event;
  return {
    type,
    kind,
    key,
    value,
    ..."previous" in event ? { previous: event.previous } : {},
    version,
    revision,
    ..."expiresAt" in event ? { expiresAt: event.expiresAt } : {},
    ..."expired" in event ? { expired: event.expired } : {},
  };
}
