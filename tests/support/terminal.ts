/**
 * A terminal for other programs, where `script` of util-linux can make one.
 *
 * @module
 */
import { drivers } from "./drivers.ts";
import { quoteForShell } from "./cli.ts";

const [{ test }] = drivers;

const unavailable = await whyUnavailable();
if (unavailable) {
  console.warn(`Tests on a terminal are ignored: ${unavailable}`);
}

/** Registers a test that needs a terminal; as ignored where there is none. */
export const testOnTerminal: (
  name: string,
  fn: () => Promise<void>,
) => void = unavailable ? Deno.test.ignore : test;

async function whyUnavailable(): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command("script", {
      args: ["--version"],
      stdin: "null",
    }).output();
    if (new TextDecoder().decode(stdout).includes("util-linux")) return;
    return "script is not that of util-linux";
  } catch {
    return "there is no script, of util-linux";
  }
}

/** The terminal, and what is run on it. */
export interface TerminalOptions {
  cwd: string;
  /** How wide it is. @default {80} */
  columns?: number;
  /** Variables to add to the environment, in which there is no `NO_COLOR`. */
  env?: Record<string, string>;
}

/** What was seen on it, and the exit code of what was run. */
export interface TerminalResult {
  code: number;
  /** Without colours, or with them where they are asked for; lines end with "\n". */
  output: string;
}

/** Runs a command line of a shell on a terminal that nobody types on. */
export async function onTerminal(
  command: string,
  { cwd, columns = 80, env = { NO_COLOR: "1" } }: TerminalOptions,
): Promise<TerminalResult> {
  const variables = Object.entries(env).map(([name, value]) =>
    quoteForShell(`${name}=${value}`)
  );
  const script = [
    `stty cols ${columns} rows 24 -echo`,
    `env -u NO_COLOR -u ZESTOR_DB ${variables.join(" ")} ${command}`,
  ].join("; ");
  const { code, stdout } = await new Deno.Command("script", {
    args: ["-qec", script, "/dev/null"],
    cwd,
    env: { SHELL: "/bin/sh" },
    stdin: "null",
  }).output();
  const output = new TextDecoder().decode(stdout).replaceAll("\r\n", "\n");
  return { code, output };
}
