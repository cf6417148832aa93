/**
 * `zestor keys`: prints the keys of a kind.
 *
 * @module
 */
import { message } from "@optique/core/message";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { assertRange, rangeParser } from "../options.ts";
import { nameText } from "../output/escape.ts";
import { printRecords } from "../output/formats.ts";

/** The command. */
export const keys: Command = defineCommand({
  name: "keys",
  brief: message`Prints the keys of a kind, in order.`,
  details:
    message`Each is a JSON string, whatever is in it. In a table only keys with control characters, or with white space around them, are.`,
  example: "zestor keys users --reverse --limit 10 --db app.db",
  permissions: READ_PERMISSIONS,
  parser: rangeParser,
  async run({ openStore, printing, signal }, { kind, format, ...range }) {
    assertRange("keys", range);
    await using store = await openStore("read");
    const keys = await store.keys(kind, { ...range, signal });
    const columns = {
      titles: ["KEY"],
      cells: (key: string) => [nameText(key)],
    };
    await printRecords(keys, columns, printing(format));
  },
});
