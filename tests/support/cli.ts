/**
 * Runs the `zestor` command as a process of its own, as a shell would.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { openStore, type SqliteStore } from "../../mod.ts";
import { parseCommandLine } from "../../src/cli/program.ts";
import { denoRun, denoRunArgs } from "./processes/deno_run.ts";

const main = new URL("../../src/cli/main.ts", import.meta.url);

/** How many run at once: more would only wait for each other. */
const MOST_AT_ONCE = 4;

let running = 0;
const waiting: (() => void)[] = [];

/** How the command is run. */
export interface CliOptions {
  /** The directory that it runs in. */
  cwd: string;
  /** What it finds on standard input. */
  input?: string | Uint8Array<ArrayBuffer>;
  /** Variables to add to the environment, in which there is no `ZESTOR_DB`. */
  env?: Record<string, string>;
  /** The flags of `deno run`. By default every permission. */
  permissions?: readonly string[];
}

/** In a directory whose store is at app.db, and named in the environment. */
export function hereIn(cwd: string): CliOptions {
  return { cwd, env: { ZESTOR_DB: "app.db" } };
}

/** What became of it. */
export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command. It is never asked for a permission. */
export async function runCli(
  args: readonly string[],
  options: CliOptions,
): Promise<CliResult> {
  if (running === MOST_AT_ONCE) {
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running++;
  try {
    await using child = spawnCli(args, options);
    const writer = child.stdin.getWriter();
    // It need not read to the end.
    const { input = "" } = options;
    const bytes = typeof input === "string"
      ? new TextEncoder().encode(input)
      : input;
    writer.write(bytes).then(() => writer.close()).catch(() => {});
    const [{ code }, stdout, stderr] = await Promise.all([
      child.status,
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { code, stdout, stderr };
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

/** Starts the command, with pipes for its streams. */
export function spawnCli(
  args: readonly string[],
  { cwd, env, permissions = ["-A"] }: CliOptions,
): Deno.ChildProcess {
  return denoRun(main, {
    flags: ["--no-check", ...permissions],
    args,
    cwd,
    env: { ZESTOR_DB: "", NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The command for a shell, without its arguments: each word quoted. */
export function cliForShell(flags: readonly string[] = ["-A"]): string {
  return [Deno.execPath(), ...denoRunArgs(main, ["--no-check", ...flags])]
    .map(quoteForShell).join(" ");
}

/** A word that is the same in a shell, whatever it holds. */
export function quoteForShell(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** What it printed; it must have been done without a word of error. */
export async function outputOfCli(
  args: readonly string[],
  options: CliOptions,
): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, options);
  assertEquals({ stderr, code }, { stderr: "", code: 0 }, args.join(" "));
  return stdout;
}

/** The help that words ask for, as the command prints it, without a process. */
export async function helpOf(...args: string[]): Promise<string> {
  const help = await parseCommandLine(args, {
    isColored: false,
    columns: undefined,
  });
  if (typeof help !== "string") throw new Error(`${args} asks for no help`);
  return help;
}

/** Opens the store that the command is about, to look at it from beside. */
export function openBeside(path: string): Promise<SqliteStore> {
  return openStore({ path, driver: "builtin" });
}
