/**
 * `zestor verify`: checks everything that is stored, and prints the faults.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import type { VerifyFinding } from "../../contract/verify.ts";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { EXIT } from "../errors.ts";
import { formatOption } from "../options.ts";
import { escapeText } from "../../base/escape.ts";
import { type Columns, printRecords } from "../output/formats.ts";

const COLUMNS: Columns<VerifyFinding> = {
  titles: ["PART", "FINDING"],
  cells: ({ part, message }) => [part, escapeText(message)],
};

/** The command. */
export const verify: Command = defineCommand({
  name: "verify",
  brief: message`Checks everything that is stored, and prints the faults.`,
  details:
    message`A record has part and message, and kind, key and revision if the fault concerns an entry or a change. A table is not cut to the width of a terminal. If there is a fault, the exit code is 3. The time grows with the size of the store. Others can read and write meanwhile, but with a rollback journal writers wait.`,
  example: "zestor verify --db app.db",
  permissions: READ_PERMISSIONS,
  parser: () => object({ format: formatOption() }),
  async run({ openStore, printing, signal }, { format }) {
    await using store = await openStore("read");
    const findings = await store.verify({ signal });
    const options = printing(format);
    if (findings.length === 0 && options.format === "table") {
      await options.output.write("Nothing is wrong\n");
      return;
    }
    const whole = { ...options.output, columns: undefined };
    await printRecords(findings, COLUMNS, { ...options, output: whole });
    return findings.length > 0 ? EXIT.failure : EXIT.done;
  },
});
