/**
 * `zestor entry`: prints a value with its version, revision and times.
 *
 * @module
 */
import { message } from "@optique/core/message";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { EntryNotFoundError } from "../errors.ts";
import { entryParser } from "../options.ts";
import { KIND_ENTRY_COLUMNS, kindEntryRecord } from "../output/entries.ts";
import { printRecord } from "../output/formats.ts";
import { readsAt } from "../reads.ts";

/** The command. */
export const entry: Command = defineCommand({
  name: "entry",
  brief: message`Prints a value with its version, revision and times.`,
  details:
    message`It prints a record with kind, key, value, version, revision, updatedAt, and expiresAt if the entry expires. If there is no such entry, the exit code is 1.`,
  example: "zestor entry users alice --db app.db",
  permissions: READ_PERMISSIONS,
  parser: entryParser,
  async run({ openStore, printing, signal }, { kind, key, format, at }) {
    await using store = await openStore("read");
    const reads = await readsAt(store, at, signal);
    const entry = await reads.entry(kind, key, { signal });
    if (!entry) throw new EntryNotFoundError("read", kind, key);
    await printRecord(
      kindEntryRecord(kind, entry),
      KIND_ENTRY_COLUMNS,
      printing(format),
    );
  },
});
