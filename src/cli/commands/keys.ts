/**
 * `zestor keys`: prints the keys of a kind.
 *
 * @module
 */
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { option } from "@optique/core/primitives";
import { quoteText } from "../../base/messages.ts";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { UsageError } from "../errors.ts";
import { assertRange, rangeParser } from "../options.ts";
import { nameText } from "../../base/escape.ts";
import { type Format, printRecords } from "../output/formats.ts";
import type { Output } from "../output/output.ts";
import { printText } from "../output/raw.ts";
import { readsAt } from "../reads.ts";

/** The command. */
export const keys: Command = defineCommand({
  name: "keys",
  brief: message`Prints the keys of a kind, in order.`,
  details:
    message`It prints each key as a JSON string. A table quotes only keys with control characters, or with white space at an end. With --raw, each key is a line, without quotes and escapes; if a key contains a line feed, nothing is printed, and the exit code is 2. With --null, a NUL ends each key; no key contains a NUL.`,
  example: "zestor keys users --reverse --limit 10 --db app.db",
  permissions: READ_PERMISSIONS,
  parser: (names) =>
    merge(
      rangeParser(names),
      object({
        raw: option("--raw", {
          description: message`Print each key as it is, one on each line.`,
        }),
        null: option("--null", {
          description:
            message`Print each key as it is, with a NUL after it, as "xargs -0" reads them.`,
        }),
      }),
    ),
  async run(
    { openStore, printing, output, signal },
    { kind, format, at, raw, null: hasNulls, ...range },
  ) {
    assertRange("keys", range);
    assertOneWay(format, raw, hasNulls);
    await using store = await openStore("read");
    const reads = await readsAt(store, at, signal);
    const keys = await reads.keys(kind, { ...range, signal });
    if (hasNulls) return await printEach(keys, "\0", output);
    if (raw) {
      assertLines(keys);
      return await printEach(keys, "\n", output);
    }
    const columns = {
      titles: ["KEY"],
      cells: (key: string) => [nameText(key)],
    };
    await printRecords(keys, columns, printing(format));
  },
});

function assertOneWay(
  format: Format | undefined,
  raw: boolean,
  hasNulls: boolean,
): void {
  const given = [
    ...format === undefined ? [] : ["--format"],
    ...raw ? ["--raw"] : [],
    ...hasNulls ? ["--null"] : [],
  ];
  if (given.length < 2) return;
  throw new UsageError(
    `Cannot print keys: ${
      given.join(" and ")
    } exclude each other; give one of them`,
  );
}

/** Throws `UsageError` if a key has more than one line. */
function assertLines(keys: readonly string[]): void {
  const found = keys.find((key) => key.includes("\n"));
  if (found === undefined) return;
  throw new UsageError(
    `Cannot print the key ${
      quoteText(found)
    } raw: it contains a line feed; use --null, or leave out --raw`,
  );
}

async function printEach(
  keys: readonly string[],
  end: string,
  output: Output,
): Promise<void> {
  for (const key of keys) {
    await printText(output, { text: key, end, what: quoteText(key) });
  }
}
