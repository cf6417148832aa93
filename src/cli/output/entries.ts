/**
 * Entries as records and table rows.
 *
 * @module
 */
import type { Entry } from "../../contract/entry.ts";
import { nameText } from "../../base/escape.ts";
import type { Columns } from "./formats.ts";

/** An entry, with its properties in the order of printing. */
export interface EntryRecord {
  readonly key: string;
  readonly value: unknown;
  readonly version: number;
  readonly revision: number;
  readonly updatedAt: Date;
  readonly expiresAt?: Date;
}

/** An entry with its kind. */
export interface KindEntryRecord extends EntryRecord {
  readonly kind: string;
}

/** The record of an entry. */
export function entryRecord(
  { key, value, version, revision, updatedAt, expiresAt }: Entry,
): EntryRecord {
  const record = { key, value, version, revision, updatedAt };
  return expiresAt ? { ...record, expiresAt } : record;
}

/** The record of an entry with its kind. */
export function kindEntryRecord(kind: string, entry: Entry): KindEntryRecord {
  return { kind, ...entryRecord(entry) };
}

/** An entry in a table. */
export const ENTRY_COLUMNS: Columns<EntryRecord> = {
  titles: ["KEY", "VALUE", "VERSION", "REVISION", "UPDATED", "EXPIRES"],
  cells: ({ key, value, version, revision, updatedAt, expiresAt }, json) => [
    nameText(key),
    json(value),
    String(version),
    String(revision),
    updatedAt.toISOString(),
    expiresAt?.toISOString() ?? "",
  ],
};

/** An entry with its kind in a table. */
export const KIND_ENTRY_COLUMNS: Columns<KindEntryRecord> = {
  titles: ["KIND", ...ENTRY_COLUMNS.titles],
  cells: (record, json) => [
    nameText(record.kind),
    ...ENTRY_COLUMNS.cells(record, json),
  ],
};
