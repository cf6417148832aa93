/**
 * The shell that runs a user's own commands.
 *
 * @module
 */
import { UsageError } from "./errors.ts";
import { isGranted } from "./permissions.ts";

/**
 * The shell, and the flags before a command's text. It is PowerShell on Windows:
 * `cmd` would put what is in a variable into the command's text, and run it.
 */
export const SHELL: readonly [shell: string, ...flags: string[]] =
  Deno.build.os === "windows"
    ? ["powershell", "-NoProfile", "-Command"]
    : ["sh", "-c"];

/** Throws `UsageError` if the shell may not be run; `action` is as in "run a command". */
export async function assertShellPermitted(action: string): Promise<void> {
  const [shell] = SHELL;
  if (await isGranted({ name: "run", command: shell })) return;
  throw new UsageError(
    `Cannot ${action}: the permission is missing; run deno with --allow-run=${shell}`,
  );
}
