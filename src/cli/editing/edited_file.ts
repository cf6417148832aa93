/**
 * A temporary file with a text that the user edits. Only the user may read it.
 *
 * The invariant: a text that was changed, but not written, is never removed.
 *
 * @module
 */
import { equalBytes } from "../../base/bytes.ts";
import { reasonOf } from "../../base/messages.ts";
import { decode } from "../input.ts";
import { assertGranted, isGranted } from "../permissions.ts";

/** The file that is edited. */
export interface EditedFile {
  readonly path: string;
  /** The present text. Throws a `SyntaxError` if it is not UTF-8. */
  read(): Promise<string>;
  /** Whether the text has been changed. */
  isChanged(): Promise<boolean>;
  remove(): Promise<void>;
}

/**
 * Creates a file with a text. `suffix` is such as ".json". Throws `UsageError`
 * if a permission is missing.
 */
export async function createEditedFile(
  text: string,
  suffix: string,
): Promise<EditedFile> {
  const dir = await temporaryDirectory();
  await assertGranted("read", dir);
  await assertGranted("write", dir);
  const path = await create(text, { dir, prefix: "zestor-", suffix });
  const first = new TextEncoder().encode(text);
  return {
    path,
    read: async () => decode(await Deno.readFile(path), false),
    async isChanged() {
      try {
        return !equalBytes(await Deno.readFile(path), first);
      } catch (error) {
        // If the editor removed it, there is no changed text.
        return !(error instanceof Deno.errors.NotFound);
      }
    },
    remove: () => Deno.remove(path).catch(() => {}),
  };
}

async function create(
  text: string,
  options: Deno.MakeTempOptions & { dir: string },
): Promise<string> {
  try {
    const path = await Deno.makeTempFile(options);
    await Deno.writeTextFile(path, text);
    return path;
  } catch (cause) {
    throw new Error(
      `Cannot edit: cannot create a file in ${options.dir}: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

async function temporaryDirectory(): Promise<string> {
  const [variables, other] = Deno.build.os === "windows"
    ? [["TEMP", "TMP"], "C:\\Windows\\Temp"] as const
    : [["TMPDIR"], "/tmp"] as const;
  for (const variable of variables) {
    if (!await isGranted({ name: "env", variable })) continue;
    const found = Deno.env.get(variable);
    if (found) return found;
  }
  return other;
}
