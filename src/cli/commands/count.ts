/**
 * `zestor count`: prints the number of entries of a kind.
 *
 * @module
 */
import { message } from "@optique/core/message";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { assertRange, rangeParser } from "../options.ts";
import { readsAt } from "../reads.ts";

/** The command. */
export const count: Command = defineCommand({
  name: "count",
  brief: message`Prints the number of entries of a kind.`,
  details: message`Every format prints a number.`,
  example: "zestor count users --db app.db",
  permissions: READ_PERMISSIONS,
  parser: rangeParser,
  async run({ openStore, output, signal }, { kind, format: _, at, ...range }) {
    assertRange("count", range);
    await using store = await openStore("read");
    const reads = await readsAt(store, at, signal);
    const count = await reads.count(kind, { ...range, signal });
    await output.write(`${count}\n`);
  },
});
