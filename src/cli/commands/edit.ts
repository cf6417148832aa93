/**
 * `zestor edit`: changes a value in the user's editor.
 *
 * The invariant: the user's text is in the store, or in a file that an error
 * names. The text never replaces a change that somebody else made meanwhile.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { envVar, message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { equalBytes } from "../../base/bytes.ts";
import type { Entry } from "../../contract/entry.ts";
import type { SetResult } from "../../contract/write.ts";
import {
  type Command,
  type CommandContext,
  defineCommand,
} from "../command.ts";
import { createEditedFile } from "../editing/edited_file.ts";
import { editorOf, runEditor } from "../editing/editor.ts";
import { editValue, textOf } from "../editing/edit_value.ts";
import { EntryNotFoundError, KeptTextError } from "../errors.ts";
import { languageOf } from "../input.ts";
import { LANGUAGES } from "../../values/text/parse.ts";
import { formatOption, keyArgument, kindArgument } from "../options.ts";
import { printRecord } from "../output/formats.ts";
import { writeError } from "../output/output.ts";
import { RESULT_COLUMNS } from "../output/results.ts";
import { assertShellPermitted } from "../shell.ts";
import { codecNamed } from "../stores/codecs.ts";
import { whatIsMissing } from "../stores/missing.ts";

/** The entry to edit, and its options. */
interface Target {
  readonly kind: string;
  readonly key: string;
  /** Whether the entry may be new. */
  readonly create: boolean;
}

/** The command. */
export const edit: Command = defineCommand({
  name: "edit",
  brief: message`Opens a value in an editor, and writes the edited value.`,
  details: message`It opens the editor of --editor, ${envVar("VISUAL")} or ${
    envVar("EDITOR")
  }. The editor gets the value in a temporary file. If you change nothing, nothing is written. If somebody else has changed the entry meanwhile, nothing is written, and the exit code is 1. If the text is not a value, the command asks on a terminal whether to edit it again; else the exit code is 2. A text that was not written is kept, and the error gives its path. If there is no such entry, the exit code is 1; with --create, the text is empty at first, and the entry is created. It prints a record as "zestor set" does.`,
  example: "zestor edit users alice --editor 'code --wait' --db app.db",
  permissions:
    "--allow-read=app.db,/tmp --allow-write=app.db,/tmp --allow-run=sh",
  parser: (names) =>
    object({
      kind: kindArgument(names),
      key: keyArgument(names),
      create: option("--create", {
        description: message`Create the entry if it does not exist.`,
      }),
      input: optional(
        option("--input", choice(LANGUAGES, { metavar: "LANGUAGE" }), {
          description:
            message`The language of the text. Default: the language of the store's codec.`,
        }),
      ),
      editor: optional(
        option("--editor", string({ metavar: "COMMAND" }), {
          description:
            message`The editor: a shell command, to which the path is added. It has to wait until the file is closed.`,
        }),
      ),
      format: formatOption(),
    }),
  async run(context, { input, editor, format, ...target }) {
    const { codec, signal, printing, yieldTerminal } = context;
    await assertShellPermitted("edit");
    const command = await editorOf(editor);
    const language = input ?? languageOf(codec);
    const entry = await read(context, target);
    const { toJson } = printing("json");
    const text = entry
      ? await textOf(entry.value, toJson, { language, codec })
      : "";
    const file = await createEditedFile(text, `.${language}`);
    let record: SetResult;
    try {
      const edited = await editValue(file, {
        language,
        codec,
        signal,
        async edit(path) {
          using _ = yieldTerminal();
          await runEditor(command, path, signal);
        },
      });
      record = edited && !await isSame(entry, edited.value, context)
        ? await write(context, target, { value: edited.value, entry })
        : unchanged(entry);
    } catch (error) {
      if (!await file.isChanged()) {
        await file.remove();
        throw error;
      }
      if (!signal.aborted) throw new KeptTextError(error, file.path);
      writeError(`zestor: The edited text is in ${file.path}`);
      throw error;
    }
    await file.remove();
    await printRecord(record, RESULT_COLUMNS, printing(format));
  },
});

function unchanged(entry: Entry | undefined): SetResult {
  const { version, revision } = entry ?? { version: 0, revision: 0 };
  return { status: "unchanged", version, revision };
}

async function read(
  { openStore, signal }: CommandContext,
  { kind, key, create }: Target,
): Promise<Entry | undefined> {
  try {
    await using store = await openStore("read");
    const entry = await store.entry(kind, key, { signal });
    if (!entry && !create) throw new EntryNotFoundError("edit", kind, key);
    return entry;
  } catch (error) {
    // Then the file is created with its first entry.
    if (create && whatIsMissing(error)) return undefined;
    throw error;
  }
}

/** Whether a value has the same stored bytes, even if the text has other spaces. */
async function isSame(
  entry: Entry | undefined,
  value: unknown,
  { codec }: CommandContext,
): Promise<boolean> {
  if (!entry) return false;
  const { encode } = await codecNamed(codec);
  return equalBytes(encode(value), encode(entry.value));
}

async function write(
  { openStore, signal }: CommandContext,
  { kind, key }: Target,
  { value, entry }: { readonly value: unknown; readonly entry?: Entry },
): Promise<SetResult> {
  if (!entry) {
    await using store = await openStore("create");
    return await store.set(kind, key, value, { ifRevision: 0, signal });
  }
  await using store = await openStore("write");
  const { revision: ifRevision } = entry;
  // The entry keeps its expiry.
  const options = { ifRevision, signal };
  const { status, version, revision } = await store.update(
    kind,
    key,
    () => value,
    options,
  );
  return { status, version, revision };
}
