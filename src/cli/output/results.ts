/**
 * How what became of a write is printed.
 *
 * @module
 */
import type { SetResult } from "../../contract/write.ts";
import type { Columns } from "./formats.ts";

/** What became of a write; without a revision if nothing was written. */
export type WriteRecord = Omit<SetResult, "revision"> & { revision?: number };

/** What became of a write, in a table. */
export const RESULT_COLUMNS: Columns<WriteRecord> = {
  titles: ["STATUS", "VERSION", "REVISION"],
  cells: ({ status, version, revision }) => [
    status,
    String(version),
    revision === undefined ? "" : String(revision),
  ],
};
