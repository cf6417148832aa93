/**
 * `zestor get`: prints a value.
 *
 * @module
 */
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { option } from "@optique/core/primitives";
import { quote } from "../../base/messages.ts";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { EntryNotFoundError, UsageError } from "../errors.ts";
import { entryParser } from "../options.ts";
import { type PrintOptions, printRecord } from "../output/formats.ts";
import { printBytes, printText } from "../output/raw.ts";
import { readsAt } from "../reads.ts";

/** The command. */
export const get: Command = defineCommand({
  name: "get",
  brief: message`Prints a value.`,
  details:
    message`Without --format, it prints JSON: on several lines on a terminal, on one line elsewhere. With --raw, it prints a string without quotes and escapes, and a line feed after it; bytes, which YAML can hold, as they are; and any other value as JSON. If there is no such entry, the exit code is 1.`,
  example: "zestor get users alice --db app.db",
  permissions: READ_PERMISSIONS,
  parser: (names) =>
    merge(
      entryParser(names),
      object({
        raw: option("--raw", {
          description: message`Print a string or bytes as they are.`,
        }),
      }),
    ),
  async run({ openStore, printing, signal }, { kind, key, format, at, raw }) {
    if (raw && format !== undefined) {
      throw new UsageError(
        "Cannot get: --raw and --format exclude each other; give one of them",
      );
    }
    await using store = await openStore("read");
    const reads = await readsAt(store, at, signal);
    const value = await reads.get(kind, key, { signal });
    if (value === undefined) throw new EntryNotFoundError("read", kind, key);
    const options = printing(format ?? "json");
    await (raw ? printRaw : printValue)(value, options, quote(kind, key));
  },
});

async function printRaw(
  value: unknown,
  options: PrintOptions,
  what: string,
): Promise<void> {
  const { output } = options;
  if (typeof value === "string") {
    return await printText(output, { text: value, end: "\n", what });
  }
  if (value instanceof Uint8Array) {
    return await printBytes(output, value, what);
  }
  await printValue(value, options);
}

async function printValue(
  value: unknown,
  options: PrintOptions,
): Promise<void> {
  const columns = {
    titles: ["VALUE"],
    cells: (value: unknown, json: (value: unknown) => string) => [json(value)],
  };
  await printRecord(value, columns, options);
}
