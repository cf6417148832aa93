/**
 * `zestor verify`: prints what is wrong with what a store holds.
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
  brief: message`Prints what is wrong with what the store holds.`,
  details:
    message`A finding has the names part and message, and where it is about one of them kind, key and revision. Findings are never cut to the width of a terminal. Where there are any, the exit code is 3. It takes time in proportion to what is stored. Others read and write meanwhile, but with a rollback journal those who write wait.`,
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
