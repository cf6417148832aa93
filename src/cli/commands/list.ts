/**
 * `zestor list`: prints the entries of a kind, as they are read, whatever their
 * number.
 *
 * @module
 */
import { message } from "@optique/core/message";
import type { Entry, KeyValue } from "../../contract/entry.ts";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { assertRange, rangeParser } from "../options.ts";
import { nameText } from "../output/escape.ts";
import { type Columns, printRecords } from "../output/formats.ts";

const COLUMNS: Columns<KeyValue> = {
  titles: ["KEY", "VALUE"],
  cells: ({ key, value }, json) => [nameText(key), json(value)],
};

/** The command. */
export const list: Command = defineCommand({
  name: "list",
  brief: message`Prints the entries of a kind, in the order of their keys.`,
  details:
    message`A record has the names key and value. They are printed as they are read, a page at a time, in constant memory. On a terminal the rows of a table are cut to its width; its columns may grow from page to page.`,
  example: "zestor list users --prefix a --db app.db",
  permissions: READ_PERMISSIONS,
  parser: rangeParser,
  async run({ openStore, printing, signal }, { kind, format, ...range }) {
    assertRange("list", range);
    await using store = await openStore("read");
    const entries = store.entries(kind, { ...range, signal });
    await printRecords(pairs(entries), COLUMNS, printing(format));
  },
});

async function* pairs(entries: AsyncIterable<Entry>): AsyncIterable<KeyValue> {
  for await (const { key, value } of entries) yield { key, value };
}
