/**
 * A folder with a POSIX shell, in which `deno` and `zestor` are this project's:
 * what a reader of the documents has.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { cliForShell, quoteForShell } from "../cli.ts";
import { denoRunArgs } from "../processes/deno_run.ts";
import { type TempDir, tempDir } from "../temp_dir.ts";

const cli = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

/** The folder. Disposing of it removes it. */
export interface ShellFolder extends TempDir {
  /** A command line, which prints on both streams as one. */
  command(line: string): Deno.Command;
}

/**
 * Makes the folder.
 *
 * @param permissions The flags that `zestor` is installed with.
 */
export async function shellFolder(
  permissions: readonly string[],
): Promise<ShellFolder> {
  const dir = await tempDir();
  const bin = await tempDir();
  await writeProgram(bin.file("deno"), denoScript());
  await writeProgram(
    bin.file("zestor"),
    `exec ${cliForShell(permissions)} "$@"`,
  );
  return {
    ...dir,
    command: (line) =>
      new Deno.Command("sh", {
        args: ["-c", `exec 2>&1; ${line}`],
        cwd: dir.path,
        env: {
          PATH: `${bin.path}:${Deno.env.get("PATH")}`,
          ZESTOR_DB: "app.db",
          NO_COLOR: "1",
        },
        stdin: "null",
        stdout: "piped",
      }),
    async [Symbol.asyncDispose]() {
      await dir[Symbol.asyncDispose]();
      await bin[Symbol.asyncDispose]();
    },
  };
}

async function writeProgram(path: string, script: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** Only `deno run`, with this checkout in the place of the published package. */
function denoScript(): string {
  const [run, quiet, config] = denoRunArgs(cli, []);
  const start = [Deno.execPath(), run, quiet, config].map(quoteForShell);
  return `[ "$1" = run ] || { echo "only deno run works here"; exit 2; }
shift
for word; do
  shift
  [ "$word" = jsr:@zestor/store/cli ] && word=${quoteForShell(cli)}
  set -- "$@" "$word"
done
exec ${start.join(" ")} "$@"`;
}
