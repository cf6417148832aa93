/**
 * Entries and changes as an engine keeps them: with their values encoded.
 *
 * @module
 */
import type { ChangeType } from "../contract/watch.ts";

/** A key with its encoded value. */
export interface StoredValue {
  readonly key: string;
  readonly value: Uint8Array;
}

/** An entry as it is kept. */
export interface StoredEntry extends StoredValue {
  readonly version: number;
  readonly updatedAt: Date;
}

/** A change as the log keeps it. */
export interface StoredChange {
  readonly revision: number;
  readonly type: ChangeType;
  readonly key: string;
  readonly version: number;
  /** The new value; of a deletion the previous one. */
  readonly value: Uint8Array;
}

/** A part of the change log. */
export interface ChangePage {
  /** The changes that pass the filter, by revision. */
  readonly changes: StoredChange[];
  /** The revision up to which there are no others. */
  readonly cursor: number;
}
