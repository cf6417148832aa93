/**
 * How an entry is printed.
 *
 * @module
 */
import type { Entry } from "../../contract/entry.ts";
import { nameText } from "./escape.ts";
import type { Columns } from "./formats.ts";

/** An entry with its kind, in the order that it is printed in. */
export interface EntryRecord {
  readonly kind: string;
  readonly key: string;
  readonly value: unknown;
  readonly version: number;
  readonly updatedAt: Date;
}

/** The record of an entry. */
export function entryRecord(
  kind: string,
  { key, value, version, updatedAt }: Entry,
): EntryRecord {
  return { kind, key, value, version, updatedAt };
}

/** An entry in a table. */
export const ENTRY_COLUMNS: Columns<EntryRecord> = {
  titles: ["KIND", "KEY", "VALUE", "VERSION", "UPDATED"],
  cells: ({ kind, key, value, version, updatedAt }, json) => [
    nameText(kind),
    nameText(key),
    json(value),
    String(version),
    updatedAt.toISOString(),
  ],
};
