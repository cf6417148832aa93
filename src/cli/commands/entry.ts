/**
 * `zestor entry`: prints a value and what the store knows of it.
 *
 * @module
 */
import { message } from "@optique/core/message";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { EntryNotFoundError } from "../errors.ts";
import { entryParser } from "../options.ts";
import { ENTRY_COLUMNS, entryRecord } from "../output/entries.ts";
import { printRecord } from "../output/formats.ts";

/** The command. */
export const entry: Command = defineCommand({
  name: "entry",
  brief: message`Prints a value with its version and time.`,
  details:
    message`The record has the names kind, key, value, version and updatedAt. Where there is no such entry, the exit code is 1.`,
  example: "zestor entry users alice --db app.db",
  permissions: READ_PERMISSIONS,
  parser: entryParser,
  async run({ openStore, printing, signal }, { kind, key, format }) {
    await using store = await openStore("read");
    const entry = await store.entry(kind, key, { signal });
    if (!entry) throw new EntryNotFoundError("read", kind, key);
    await printRecord(
      entryRecord(kind, entry),
      ENTRY_COLUMNS,
      printing(format),
    );
  },
});
