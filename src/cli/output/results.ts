/**
 * How what became of a write is printed.
 *
 * @module
 */
import type { SetResult } from "../../contract/write.ts";
import type { Columns } from "./formats.ts";

/** What became of a write, in a table. */
export const RESULT_COLUMNS: Columns<SetResult> = {
  titles: ["STATUS", "VERSION", "REVISION"],
  cells: ({ status, version, revision }) => [
    status,
    String(version),
    String(revision),
  ],
};
