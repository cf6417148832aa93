/**
 * `deno run` with this project's configuration, as tests, soaks and benchmarks
 * start other processes.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

// A derived one, where the packages come from elsewhere, see tools/packages.ts.
const config = Deno.env.get("ZESTOR_DENO_CONFIG") ??
  fileURLToPath(new URL("../../../deno.json", import.meta.url));

/** What `deno run` is given, besides what any command is. */
export interface DenoRunOptions extends Omit<Deno.CommandOptions, "args"> {
  /** Its own flags, such as permissions. */
  flags: readonly string[];
  /** What the program finds in `Deno.args`. */
  args?: readonly string[];
}

/** A program as a command. It is never asked for a permission. */
export function denoRun(
  file: string | URL,
  { flags, args = [], ...options }: DenoRunOptions,
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    ...options,
    args: [...denoRunArgs(file, ["--no-prompt", ...flags]), ...args],
  });
}

/** What `deno` is given to run a program, for command lines of other programs. */
export function denoRunArgs(
  file: string | URL,
  flags: readonly string[],
): string[] {
  return [
    "run",
    "--quiet",
    `--config=${config}`,
    ...flags,
    typeof file === "string" ? file : fileURLToPath(file),
  ];
}
