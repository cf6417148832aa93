/**
 * `zestor get`: prints a value.
 *
 * @module
 */
import { message } from "@optique/core/message";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { EntryNotFoundError } from "../errors.ts";
import { entryParser } from "../options.ts";
import { printRecord } from "../output/formats.ts";

/** The command. */
export const get: Command = defineCommand({
  name: "get",
  brief: message`Prints a value.`,
  details:
    message`As JSON, without --format too: over several lines on a terminal, on one line elsewhere. Where there is no such entry, the exit code is 1.`,
  example: "zestor get users alice --db app.db",
  permissions: READ_PERMISSIONS,
  parser: entryParser,
  async run({ openStore, printing, signal }, { kind, key, format = "json" }) {
    await using store = await openStore("read");
    const value = await store.get(kind, key, { signal });
    if (value === undefined) throw new EntryNotFoundError("read", kind, key);
    const columns = {
      titles: ["VALUE"],
      cells: (value: unknown, json: (value: unknown) => string) => [
        json(value),
      ],
    };
    await printRecord(value, columns, printing(format));
  },
});
