/**
 * `zestor set`: writes a value.
 *
 * It opens nothing, and creates no file, before it knows that the value can be
 * written.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { type Command, defineCommand, WRITE_PERMISSIONS } from "../command.ts";
import { durationParser } from "../duration.ts";
import { UsageError } from "../errors.ts";
import { languageOf, readString, readValue } from "../input.ts";
import { LANGUAGES } from "../../values/text/parse.ts";
import {
  assertOneCondition,
  formatOption,
  ifRevisionOption,
  ifVersionOption,
  keyArgument,
  kindArgument,
} from "../options.ts";
import { printRecord } from "../output/formats.ts";
import { RESULT_COLUMNS } from "../output/results.ts";
import { assertEncodable } from "../stores/codecs.ts";

/** The longest lifetime of an entry, in ms: about a hundred years. */
const LONGEST_LIFE = 36_500 * 86_400_000;

/** The command. */
export const set: Command = defineCommand({
  name: "set",
  brief: message`Writes a value.`,
  details:
    message`The value is the argument, or standard input if the argument is "-" or absent. It is JSON, or YAML if the codec is YAML. It is refused if a part of it would be altered, such as a number with too many digits. With --string, the value is the text itself, including the line feed at its end if standard input has one. Put "--" before a value that begins with a hyphen. The file is created if it is missing. With --expire-in, the entry is gone after that time; without it, the entry does not expire, even if it did before. If the entry has another version or revision, the exit code is 1. It prints a record with status, version and revision.`,
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
            message`The language of the value. Default: the language of the store's codec.`,
        }),
      ),
      string: option("--string", {
        description: message`The value is the text itself, as a string.`,
      }),
      expireIn: optional(
        option("--expire-in", durationParser(LONGEST_LIFE), {
          description:
            message`Delete the entry after this time, such as 10m or 7d.`,
        }),
      ),
      ifVersion: ifVersionOption(),
      ifRevision: ifRevisionOption(),
      format: formatOption(),
    }),
  async run(
    { openStore, printing, codec, signal },
    { kind, key, argument, input, string: isString, format, ...options },
  ) {
    assertOneCondition("set", options);
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
    // If the entry must have a version, the file must exist.
    const isThere = options.ifVersion || options.ifRevision;
    await using store = await openStore(isThere ? "write" : "create");
    const result = await store.set(kind, key, value, { ...options, signal });
    await printRecord(result, RESULT_COLUMNS, printing(format));
  },
});
