/**
 * Entries as they are kept in memory. What is given out has bytes of its own.
 *
 * @module
 */
import type { StoredEntry, StoredValue } from "../engine/entries.ts";

/** An entry, beside its kind and key. */
export interface Kept {
  readonly value: Uint8Array;
  readonly version: number;
  /** That of its last change. */
  readonly revision: number;
  readonly updatedAt: Date;
  /** In ms since 1970; `undefined` if it does not expire. */
  readonly expiresAt: number | undefined;
}

/** A change, with what it replaced. */
export interface Logged {
  readonly kind: string;
  readonly key: string;
  readonly type: "create" | "update" | "delete";
  /** Of a deletion: whether the entry had expired. */
  readonly isExpiry: boolean;
  /** What is there now; of a deletion, nothing. */
  readonly entry: Kept | undefined;
  readonly previous: Kept | undefined;
  readonly time: Date;
  readonly mark: number;
}

/** How many bytes an entry's value has. */
export function sizeOf({ value }: Kept): number {
  return value.byteLength;
}

/** A key with its value. */
export function toValue(key: string, { value }: Kept): StoredValue {
  return { key, value: value.slice() };
}

/** An entry. */
export function toEntry(key: string, kept: Kept): StoredEntry {
  const { value, version, revision, updatedAt, expiresAt } = kept;
  return {
    key,
    value: value.slice(),
    version,
    revision,
    updatedAt: new Date(updatedAt),
    expiresAt,
  };
}

/** Whether an entry has expired at a time, in ms since 1970. */
export function isGone({ expiresAt }: Kept, time: number): boolean {
  return expiresAt !== undefined && expiresAt <= time;
}
