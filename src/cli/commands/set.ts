/**
 * `zestor set`: writes a value.
 *
 * Nothing is opened, and no file made, before the value is known to be one that
 * can be written.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { type Command, defineCommand, WRITE_PERMISSIONS } from "../command.ts";
import { UsageError } from "../errors.ts";
import { languageOf, LANGUAGES, readString, readValue } from "../input.ts";
import {
  formatOption,
  ifVersionOption,
  keyArgument,
  kindArgument,
} from "../options.ts";
import { printRecord } from "../output/formats.ts";
import { RESULT_COLUMNS } from "../output/results.ts";
import { assertEncodable } from "../store_file.ts";

/** The command. */
export const set: Command = defineCommand({
  name: "set",
  brief: message`Writes a value.`,
  details:
    message`The value is the argument, or what is on standard input where that is "-" or absent. It is JSON, or YAML if the codec is YAML; what either would alter in silence, such as a number of too many digits, is refused. With --string the value is a string, which is the text as it is, with the line feed at its end if standard input has one. A value that begins with a hyphen goes after "--". The file is created where it is missing. The record printed has the names status, version and revision. Where the entry has another version, the exit code is 1.`,
  example: `zestor set users alice '{"name":"Alice"}' --db app.db`,
  permissions: WRITE_PERMISSIONS,
  parser: (names) =>
    object({
      kind: kindArgument(names),
      key: keyArgument(names),
      argument: optional(
        argument(string({ metavar: "VALUE" }), {
          description: message`The value; "-" for standard input.`,
        }),
      ),
      input: optional(
        option("--input", choice(LANGUAGES, { metavar: "LANGUAGE" }), {
          description:
            message`What the value is written in, if not in what the store keeps.`,
        }),
      ),
      string: option("--string", {
        description:
          message`The value is a string: the text itself, which is not parsed.`,
      }),
      ifVersion: ifVersionOption(),
      format: formatOption(),
    }),
  async run(
    { openStore, printing, codec, signal },
    { kind, key, argument, input, string: isString, ifVersion, format },
  ) {
    if (isString && input !== undefined) {
      throw new UsageError(
        "Cannot set: --string and --input exclude each other; give one of them",
      );
    }
    const language = input ?? languageOf(codec);
    const value = isString
      ? await readString({ argument, signal })
      : await readValue({ argument, language, codec, signal });
    await assertEncodable(value, codec);
    // An entry that has a version is in a file that is there.
    await using store = await openStore(ifVersion ? "write" : "create");
    const result = await store.set(kind, key, value, { ifVersion, signal });
    await printRecord(result, RESULT_COLUMNS, printing(format));
  },
});
