/**
 * `zestor compact`: gives unused disk space of the file back.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import type { CompactResult } from "../../sqlite/compact.ts";
import { type Command, defineCommand } from "../command.ts";
import { formatOption } from "../options.ts";
import { type Columns, printRecord } from "../output/formats.ts";
import { assertMayCompact } from "../permissions.ts";

const COLUMNS: Columns<CompactResult> = {
  titles: ["BEFORE", "AFTER"],
  cells: ({ before, after }) => [`${before} bytes`, `${after} bytes`],
};

/** The command. */
export const compact: Command = defineCommand({
  name: "compact",
  brief: message`Gives unused disk space of the file back to the file system.`,
  details:
    message`Only for a store in a file; for PostgreSQL use VACUUM. The command rewrites the file in place, and empties its write-ahead log. It needs free disk space of up to twice the resulting size. Meanwhile other writers wait, up to their busy timeout; with a rollback journal readers wait, too. The change log does not change. It prints a record with before and after: the bytes of the file and its write-ahead log.`,
  example: "zestor compact --db app.db",
  permissions: "--allow-all",
  isForFiles: true,
  parser: () => object({ format: formatOption() }),
  async run({ openFile, printing, signal }, { format }) {
    await using store = await openFile("write", {
      action: "compact",
      advice: "use VACUUM of PostgreSQL",
      assertPermitted: assertMayCompact,
    });
    const result = await store.compact({ signal });
    await printRecord(result, COLUMNS, printing(format));
  },
});
