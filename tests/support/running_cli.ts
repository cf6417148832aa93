/**
 * The `zestor` command while it runs: what it prints, line by line, and how it
 * ends when it is told to.
 *
 * @module
 */
import { type CliOptions, type CliResult, spawnCli } from "./cli.ts";
import { TextReader } from "./processes/text_reader.ts";

/** A command that runs until it is told to end. */
export interface RunningCli {
  /** The next line that it prints, less its end. */
  line(): Promise<string>;
  /** Closes the pipe that it prints to. */
  closeOutput(): Promise<void>;
  /** Sends it a signal. */
  kill(signal: Deno.Signal): void;
  /** How it ends, with what it printed that was not read. */
  ended(): Promise<CliResult>;
}

/** Starts the command, with nothing on its standard input. */
export function startCli(
  args: readonly string[],
  options: Omit<CliOptions, "input">,
): RunningCli {
  const child = spawnCli(args, options);
  const closed = child.stdin.close();
  const stderr = new Response(child.stderr).text();
  const printed = new TextReader(child.stdout);
  return {
    line: () => printed.line(),
    closeOutput: () => printed[Symbol.asyncDispose](),
    kill: (signal) => child.kill(signal),
    async ended() {
      await closed;
      const stdout = await printed.rest();
      const { code } = await child.status;
      return { code, stdout, stderr: await stderr };
    },
  };
}
