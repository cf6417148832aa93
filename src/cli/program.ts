/**
 * The command line: what it may be, and its help.
 *
 * @module
 */
import { merge, or } from "@optique/core/constructs";
import { runParserAsync } from "@optique/core/facade";
import { message } from "@optique/core/message";
import type { Mode, Parser } from "@optique/core/parser";
import config from "../../deno.json" with { type: "json" };
import type { Action } from "./command.ts";
import { COMMANDS } from "./commands/mod.ts";
import { SHELLS, withStoreOf } from "./completion.ts";
import { UsageError } from "./errors.ts";
import { type NameParsers, nameParsers } from "./names.ts";
import { type GlobalOptions, globalOptions } from "./options.ts";

/** The command that the parser has, besides `help`. */
const COMPLETION = "completion";

/** What a command line asks for. */
export type Invocation = { readonly action: Action } & GlobalOptions;

/** How help is shown. */
export interface HelpOptions {
  readonly isColored: boolean;
  /** The width of the terminal; absent where there is none. */
  readonly columns: number | undefined;
}

/**
 * Reads a command line.
 *
 * @returns What it asks for, or the text that is all of it: help, the version,
 * what completes it. Throws `UsageError` where it makes no sense.
 */
export async function parseCommandLine(
  args: readonly string[],
  { isColored, columns }: HelpOptions,
): Promise<Invocation | string> {
  const names = nameParsers((work) => withStoreOf(args, program.usage, work));
  const program = programParser(names);
  let printed = "";
  let problem = "";
  const shown = Symbol();
  const result = await runParserAsync(program, "zestor", args, {
    brief: message`Reads and writes a store of Zestor, which is a file.`,
    description: message`Usage: zestor COMMAND [ARGUMENT...] [OPTION...]`,
    colors: isColored,
    // Help is broken into lines; of an error there is to be one.
    maxWidth: isHelp(args) ? columns ?? 80 : undefined,
    // Every command has its own.
    showUsage: commandIn(args) !== undefined,
    showDefault: true,
    showChoices: true,
    help: { command: true, option: true, onShow: () => shown },
    version: { option: true, value: config.version, onShow: () => shown },
    completion: { command: true, shells: SHELLS, onShow: () => shown },
    aboveError: "none",
    stdout: (text) => printed += `${text}\n`,
    // After usage, for some.
    stderr: (text) => {
      if (text.startsWith("Error: ")) problem = text;
    },
    footer:
      message`Exit codes: 0 done; 1 no such entry, or another version; 2 wrong use; 3 the store failed, or is not sound; 130 interrupted.`,
    onError: () => {
      throw new UsageError(usageProblem(problem, args));
    },
  });
  return typeof result === "symbol" ? printed : result;
}

type Program = Parser<Mode, Invocation, unknown>;

function programParser(names: NameParsers): Program {
  const commands = COMMANDS.map(({ parser }) => parser(names));
  const command = or(...commands, {
    errors: {
      noMatch: message`There is no command`,
      unexpectedInput: (word: string) => message`There is no command ${word}.`,
    },
  });
  return merge(command, globalOptions);
}

function isHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args[0] === "help";
}

/** What the parser found wrong, in one line, and where to read on. */
function usageProblem(problem: string, args: readonly string[]): string {
  const line = problem.replace(/^Error: /, "").trim()
    .replace(/\s*\n\s*/g, " ").replace(/\.$/, "")
    // How arguments depend on each other is nobody's business.
    .replace(/\.? Dependency chain: "[^"]*"$/, "");
  const hint = /Unexpected.*"-\d/.test(line)
    ? `put "--" before what begins with a hyphen, and `
    : "";
  const command = commandIn(args);
  const help = command === undefined ? "--help" : `${command} --help`;
  return `${line}; ${hint}see zestor ${help}`;
}

/** The first word of a command line that is a command. */
function commandIn(args: readonly string[]): string | undefined {
  return args.find((arg) =>
    arg === COMPLETION || COMMANDS.some(({ name }) => name === arg)
  );
}
