/**
 * The parser of the command line, and its help.
 *
 * @module
 */
import { merge, or } from "@optique/core/constructs";
import { runParserAsync } from "@optique/core/facade";
import { message } from "@optique/core/message";
import type { Mode, Parser } from "@optique/core/parser";
import config from "../../deno.json" with { type: "json" };
import type { Action, Command } from "./command.ts";
import { loadCommand, loadCommands } from "./commands/mod.ts";
import { SHELLS, withStoreOf } from "./completion.ts";
import { nameParsers } from "./names.ts";
import { type GlobalOptions, globalOptions } from "./options.ts";
import { CommandLineError } from "./usage_message.ts";
import { commandIndex, usageProblem, type Usages } from "./usage_problem.ts";

/** The parser's own command, besides `help`. */
const COMPLETION = "completion";

/** The parsed command line. */
export type Invocation = { readonly action: Action } & GlobalOptions;

/** The settings of the help. */
export interface HelpOptions {
  readonly isColored: boolean;
  /** The width of the terminal. Absent if there is none. */
  readonly columns: number | undefined;
}

/**
 * Parses a command line.
 *
 * @returns The action, or a text that is the whole output: help, the version,
 * or a completion. Throws `UsageError` if the command line is invalid.
 */
export async function parseCommandLine(
  args: readonly string[],
  help: HelpOptions,
): Promise<Invocation | string> {
  const command = isHelp(args) ? undefined : await loadCommand(args[0]);
  try {
    if (command) return await parse([command], args, help);
  } catch (error) {
    // The message may have to name the other commands, too.
    if (!(error instanceof CommandLineError)) throw error;
  }
  return await parse(await loadCommands(), args, help);
}

/** The same, with only these commands. */
async function parse(
  known: readonly Command[],
  args: readonly string[],
  { isColored, columns }: HelpOptions,
): Promise<Invocation | string> {
  const names = nameParsers((work) => withStoreOf(args, program.usage, work));
  const commands = known.map(({ parser }) => parser(names));
  const program = programParser(commands);
  const usages: Usages = {
    commands: new Map([
      ...known.map(({ name }, i) => [name, commands[i].usage] as const),
      [COMPLETION, []],
    ]),
    globals: globalOptions.usage,
  };
  let printed = "";
  const shown = Symbol();
  const result = await runParserAsync(program, "zestor", args, {
    brief:
      message`Reads and writes a Zestor store, in a file, a PostgreSQL database or an etcd cluster.`,
    description: message`Usage: zestor COMMAND [ARGUMENT...] [OPTION...]`,
    colors: isColored,
    // Help is wrapped to the width, but an error is one line.
    maxWidth: isHelp(args) ? columns ?? 80 : undefined,
    // Every command has its own usage.
    showUsage: commandIndex(args, usages) >= 0,
    showDefault: true,
    showChoices: true,
    help: { command: true, option: true, onShow: () => shown },
    version: { option: true, value: config.version, onShow: () => shown },
    completion: { command: true, shells: SHELLS, onShow: () => shown },
    aboveError: "none",
    stdout: (text) => printed += `${text}\n`,
    // The error has the same message.
    stderr: () => {},
    footer:
      message`Exit codes: 0 done; 1 no such entry, or another version; 2 wrong use; 3 the store failed, or is not sound; 130 interrupted.`,
    onError: (_code, found) => {
      throw new CommandLineError(usageProblem(found, args, usages));
    },
  });
  return typeof result === "symbol" ? printed : result;
}

type Program = Parser<Mode, Invocation, unknown>;

function programParser(
  commands: readonly ReturnType<Command["parser"]>[],
): Program {
  const command = or(...commands, {
    errors: {
      noMatch: message`There is no command`,
    },
  });
  return merge(command, globalOptions);
}

function isHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args[0] === "help";
}
