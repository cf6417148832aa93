/**
 * Entries as they are kept in memory. Results have bytes of their own.
 *
 * @module
 */
import type { StoredEntry, StoredValue } from "../engine/entries.ts";

/** An entry, without its kind and key. */
export interface Kept {
  readonly value: Uint8Array;
  readonly version: number;
  /** The revision of the entry's last change. */
  readonly revision: number;
  readonly updatedAt: Date;
  /** In ms since 1970; `undefined` if it does not expire. */
  readonly expiresAt: number | undefined;
}

/** A change, with the entry that it replaced. */
export interface Logged {
  readonly kind: string;
  readonly key: string;
  readonly type: "create" | "update" | "delete";
  /** For a deletion: whether the entry had expired. */
  readonly isExpiry: boolean;
  /** The new entry; `undefined` for a deletion. */
  readonly entry: Kept | undefined;
  readonly previous: Kept | undefined;
  readonly time: Date;
  readonly mark: number;
}

/** The number of bytes of an entry's value. */
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
