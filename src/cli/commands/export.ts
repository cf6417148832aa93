/**
 * `zestor export`: prints every entry as a line of JSON.
 *
 * @module
 */
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { atOption, partOptions, prefixOption } from "../options.ts";
import { escapeJson } from "../../base/escape.ts";

/** The command. */
export const exportCommand: Command = defineCommand({
  name: "export",
  brief: message`Prints every entry as a line of JSON, as of one moment.`,
  details:
    message`The lines are in the order of kinds and keys. A line has kind, key, value, version, updatedAt, and expiresAt if the entry expires. If JSON cannot express a value, the line has codec and bytes instead of value. The command takes constant memory. "zestor import" reads these lines.`,
  example: "zestor export --kind users --db app.db",
  permissions: READ_PERMISSIONS,
  parser: (names) =>
    merge(
      object({ prefix: prefixOption(), at: atOption() }),
      partOptions(names),
    ),
  async run({ openStore, output, signal }, options) {
    await using store = await openStore("read");
    const text = store.export({ ...options, signal })
      .pipeThrough(new TextDecoderStream());
    const isTerminal = output.columns !== undefined;
    for await (const lines of text) {
      await output.write(isTerminal ? escapeJson(lines) : lines);
    }
  },
});
