/**
 * `zestor list`: prints the entries of a kind while it reads them, for any
 * number of entries.
 *
 * @module
 */
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { option } from "@optique/core/primitives";
import type { Entry, KeyValue } from "../../contract/entry.ts";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { assertRange, rangeParser } from "../options.ts";
import {
  ENTRY_COLUMNS,
  type EntryRecord,
  entryRecord,
} from "../output/entries.ts";
import { nameText } from "../../base/escape.ts";
import { type Columns, printRecords } from "../output/formats.ts";
import { readsAt } from "../reads.ts";

const COLUMNS: Columns<KeyValue> = {
  titles: ["KEY", "VALUE"],
  cells: ({ key, value }, json) => [nameText(key), json(value)],
};

/** The command. */
export const list: Command = defineCommand({
  name: "list",
  brief: message`Prints the entries of a kind, in the order of their keys.`,
  details:
    message`A record has key and value. With --versions, it also has version, revision, updatedAt, and expiresAt if the entry expires. The command reads and prints a page at a time, in constant memory. On a terminal, it cuts the rows of a table to the width; columns may grow from page to page.`,
  example: "zestor list users --prefix a --db app.db",
  permissions: READ_PERMISSIONS,
  parser: (names) =>
    merge(
      rangeParser(names),
      object({
        versions: option("--versions", {
          description:
            message`Also print the version, revision and times of each entry.`,
        }),
      }),
    ),
  async run(
    { openStore, printing, signal },
    { kind, format, at, versions, ...range },
  ) {
    assertRange("list", range);
    await using store = await openStore("read");
    const reads = await readsAt(store, at, signal);
    const entries = reads.entries(kind, { ...range, signal });
    const options = printing(format);
    await (versions
      ? printRecords(records(entries), ENTRY_COLUMNS, options)
      : printRecords(pairs(entries), COLUMNS, options));
  },
});

async function* pairs(entries: AsyncIterable<Entry>): AsyncIterable<KeyValue> {
  for await (const { key, value } of entries) yield { key, value };
}

async function* records(
  entries: AsyncIterable<Entry>,
): AsyncIterable<EntryRecord> {
  for await (const entry of entries) yield entryRecord(entry);
}
