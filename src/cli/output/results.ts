/**
 * The result of a write as a table row.
 *
 * @module
 */
import type { SetResult } from "../../contract/write.ts";
import type { Columns } from "./formats.ts";

/** The result of a write, in a table. */
export const RESULT_COLUMNS: Columns<SetResult> = {
  titles: ["STATUS", "VERSION", "REVISION"],
  cells: ({ status, version, revision }) => [
    status,
    String(version),
    String(revision),
  ],
};
