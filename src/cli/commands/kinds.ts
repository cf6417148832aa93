/**
 * `zestor kinds`: prints the kinds that have entries.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { atOption, formatOption } from "../options.ts";
import { nameText } from "../../base/escape.ts";
import { printRecords } from "../output/formats.ts";
import { readsAt } from "../reads.ts";

/** The command. */
export const kinds: Command = defineCommand({
  name: "kinds",
  brief: message`Prints the kinds that have entries, in order.`,
  details:
    message`It prints each kind as a JSON string. A table quotes only kinds with control characters, or with white space at an end.`,
  example: "zestor kinds --db app.db",
  permissions: READ_PERMISSIONS,
  parser: () => object({ format: formatOption(), at: atOption() }),
  async run({ openStore, printing, signal }, { format, at }) {
    await using store = await openStore("read");
    const reads = await readsAt(store, at, signal);
    const kinds = await reads.kinds({ signal });
    const columns = {
      titles: ["KIND"],
      cells: (kind: string) => [nameText(kind)],
    };
    await printRecords(kinds, columns, printing(format));
  },
});
