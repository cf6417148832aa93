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

/** The longest time that an entry may be given, in ms: about a hundred years. */
const LONGEST_LIFE = 36_500 * 86_400_000;

/** The command. */
export const set: Command = defineCommand({
  name: "set",
  brief: message`Writes a value.`,
  details:
    message`The value is the argument, or what is on standard input where that is "-" or absent. It is JSON, or YAML if the codec is YAML; what either would alter in silence, such as a number of too many digits, is refused. With --string the value is a string, which is the text as it is, with the line feed at its end if standard input has one. A value that begins with a hyphen goes after "--". The file is created where it is missing. The record printed has the names status, version and revision. With --expire-in the entry is gone after that time; without it, it does not expire, also if it did before. Where the entry has another version or revision, the exit code is 1.`,
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
    // An entry that has a version is in a file that is there.
    const isThere = options.ifVersion || options.ifRevision;
    await using store = await openStore(isThere ? "write" : "create");
    const result = await store.set(kind, key, value, { ...options, signal });
    await printRecord(result, RESULT_COLUMNS, printing(format));
  },
});
