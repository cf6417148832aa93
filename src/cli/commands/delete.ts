/**
 * `zestor delete`: deletes an entry, and prints what it was.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { type Command, defineCommand, WRITE_PERMISSIONS } from "../command.ts";
import { EntryNotFoundError } from "../errors.ts";
import {
  formatOption,
  ifVersionOption,
  keyArgument,
  kindArgument,
} from "../options.ts";
import { ENTRY_COLUMNS, entryRecord } from "../output/entries.ts";
import { printRecord } from "../output/formats.ts";

/** The command. */
export const deleteCommand: Command = defineCommand({
  name: "delete",
  brief: message`Deletes an entry, and prints what it was.`,
  details:
    message`The record has the names kind, key, value, version and updatedAt. Where there is no such entry, or it has another version, the exit code is 1.`,
  example: "zestor delete users alice --db app.db",
  permissions: WRITE_PERMISSIONS,
  parser: (names) =>
    object({
      kind: kindArgument(names),
      key: keyArgument(names),
      ifVersion: ifVersionOption(),
      format: formatOption(),
    }),
  async run(
    { openStore, printing, signal },
    { kind, key, ifVersion, format },
  ) {
    await using store = await openStore("write");
    const entry = await store.delete(kind, key, { ifVersion, signal });
    if (!entry) throw new EntryNotFoundError("delete", kind, key);
    await printRecord(
      entryRecord(kind, entry),
      ENTRY_COLUMNS,
      printing(format),
    );
  },
});
