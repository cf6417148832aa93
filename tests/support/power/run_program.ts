/**
 * Runs the traced programs.
 *
 * @module
 */
import { denoRun } from "../processes/deno_run.ts";
import type { TracedDirectory } from "./recorder.ts";
import { runTraced, type Trace } from "./traced_run.ts";
import type { TracedPrograms } from "./traced_programs.ts";

/** The arguments of a program, by its name. */
type Arguments<Name extends keyof TracedPrograms> = Parameters<
  TracedPrograms[Name]
>[0];

/** Runs a program to its end, and gives its trace. */
export async function traceProgram<Name extends keyof TracedPrograms & string>(
  where: TracedDirectory,
  name: Name,
  args: Arguments<Name>,
): Promise<Trace> {
  const program = new URL("traced_programs.ts", import.meta.url);
  return await runTraced(where, async (env) => {
    const command = denoRun(program, {
      flags: ["-A", "--no-check"],
      args: [name, JSON.stringify(args)],
      env,
    });
    const { success, stderr } = await command.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  });
}
