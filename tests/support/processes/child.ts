/**
 * Other processes of this program.
 *
 * @module
 */
import { denoRun } from "./deno_run.ts";

const root = new URL("../../../", import.meta.url);

/** How a child runs. */
export interface ChildOptions {
  /** Flags of `deno run`, such as `--allow-read=.`. */
  permissions: readonly string[];
  /** Variables to add to the environment. */
  env?: Record<string, string>;
}

/** What became of a child. */
export interface ChildResult {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs TypeScript in another `deno` process, in the given directory, where
 * `zestor` is this package. The program is written to a file there.
 */
export async function runChild(
  dir: string,
  program: string,
  { permissions, env }: ChildOptions,
): Promise<ChildResult> {
  const file = await Deno.makeTempFile({ dir, suffix: ".ts" });
  const imports = `import * as zestor from "${new URL("mod.ts", root)}";\n`;
  await Deno.writeTextFile(file, imports + program);
  const { code, stdout, stderr } = await denoRun(file, {
    flags: ["--no-check", ...permissions],
    cwd: dir,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  await Deno.remove(file);
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout).trimEnd(),
    stderr: decoder.decode(stderr).trimEnd(),
  };
}
