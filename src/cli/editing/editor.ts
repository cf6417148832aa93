/**
 * The user's editor.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { isGranted } from "../permissions.ts";
import { SHELL } from "../shell.ts";

/** The environment variables that name an editor, in the order of precedence. */
const VARIABLES = ["VISUAL", "EDITOR"];

/** The command of the editor: the given one, or that of the environment. */
export async function editorOf(given: string | undefined): Promise<string> {
  if (given) return given;
  for (const variable of VARIABLES) {
    if (!await isGranted({ name: "env", variable })) continue;
    const editor = Deno.env.get(variable);
    if (editor) return editor;
  }
  throw new UsageError(
    `Cannot edit: there is no editor; give --editor COMMAND, or set ${
      VARIABLES.join(" or ")
    } and run deno with --allow-env=${VARIABLES.join()}`,
  );
}

/** Runs an editor on a file until it ends. Throws unless it succeeds. */
export async function runEditor(
  editor: string,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = new Deno.Command(SHELL[0], {
    args: [...SHELL.slice(1), ...scriptFor(editor, path)],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const stop = () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // The editor has just ended.
    }
  };
  signal.addEventListener("abort", stop);
  const { success, code, signal: by } = await child.status
    .finally(() => signal.removeEventListener("abort", stop));
  signal.throwIfAborted();
  if (success) return;
  throw new Error(
    `The editor failed: ${
      by ? `it was ended by ${by}` : `it exited with ${code}`
    }; nothing was written`,
  );
}

/** A script that runs an editor, and the script's arguments. The editor may be any shell command. */
function scriptFor(editor: string, path: string): string[] {
  if (Deno.build.os === "windows") {
    return [`${editor} '${path.replaceAll("'", "''")}'`];
  }
  // Most editors are a few plain words. Such an editor replaces the shell, and
  // gets its signals. Otherwise, the shell waits for the editor, also after
  // Ctrl-C.
  const isPlain = /^[\w./ +-]+$/.test(editor);
  const before = isPlain ? "exec " : "trap : INT; ";
  return [`${before}${editor} "$@"`, editor, path];
}
