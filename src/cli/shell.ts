/**
 * The shell that runs a user's own commands.
 *
 * @module
 */
import { UsageError } from "./errors.ts";
import { isGranted } from "./permissions.ts";

/**
 * The shell, and the flags before a command's text. On Windows it is
 * PowerShell, because `cmd` would insert the content of a variable into the
 * command's text, and run it.
 */
export const SHELL: readonly [shell: string, ...flags: string[]] =
  Deno.build.os === "windows"
    ? ["powershell", "-NoProfile", "-Command"]
    : ["sh", "-c"];

/** Throws `UsageError` if the shell is not permitted. `action` is such as "run a command". */
export async function assertShellPermitted(action: string): Promise<void> {
  const [shell] = SHELL;
  if (await isGranted({ name: "run", command: shell })) return;
  throw new UsageError(
    `Cannot ${action}: the permission is missing; run deno with --allow-run=${shell}`,
  );
}
