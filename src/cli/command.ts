/**
 * What a command is: a file in `commands/` with its help, its parser and what
 * it does, and a place in the list in `commands/mod.ts`.
 *
 * @module
 */
import { map } from "@optique/core/modifiers";
import { lineBreak, type Message, message, text } from "@optique/core/message";
import type { Mode, Parser } from "@optique/core/parser";
import { command } from "@optique/core/primitives";
import type { SqliteStore } from "../sqlite/sqlite_store.ts";
import type { NameParsers } from "./names.ts";
import type { Format, PrintOptions } from "./output/formats.ts";
import type { Output } from "./output/output.ts";
import type { CodecName } from "./stores/codecs.ts";
import type { EndNames, Ends } from "./stores/ends.ts";
import type { FileOnly } from "./stores/open.ts";
import type { Access, CliStore } from "./stores/settings.ts";
import type { AwaitedStore } from "./stores/waiting.ts";

/** What a command is given to do its work with. */
export interface CommandContext {
  /** Opens the store that the command line names; `await using` closes it. */
  openStore(access: Access): Promise<CliStore>;
  /** The same for what only a store in a file can do. */
  openFile(access: Access, what: FileOnly): Promise<SqliteStore>;
  /** Opens the two stores of a copy; `await using` closes them. */
  openEnds(names: EndNames): Promise<Ends>;
  /** Opens it to read, as soon as it is there. */
  openStoreWhenThere(): Promise<AwaitedStore>;
  /** The variables that name the store for another process; they may hold a password. */
  variablesOf(store: CliStore): Promise<Record<string, string>>;
  /** How to print data. Without a format, that is a table on a terminal, else a line a record. */
  printing(format: Format | undefined): PrintOptions;
  /** Where to print. */
  readonly output: Output;
  /** The codec of the store. */
  readonly codec: CodecName;
  /** Aborts when the command is interrupted. */
  readonly signal: AbortSignal;
  /** Leaves Ctrl-C to another program on the same terminal, until it is disposed of. */
  yieldTerminal(): Disposable;
}

/** Runs a command; gives its exit code where that is not 0. */
export type Action = (context: CommandContext) => Promise<number | void>;

/** A command as its file has it. */
export interface CommandDefinition<Options> {
  readonly name: string;
  /** What it does, in a line. */
  readonly brief: Message;
  /** The rest of what there is to know: what it prints, and when it fails. */
  readonly details: Message;
  /** A command line that works on a store at `app.db`. */
  readonly example: string;
  /** The flags of `deno run` that it needs for a store at `app.db`, and no more. */
  readonly permissions: string;
  /** Whether it is for stores in files alone. */
  readonly isForFiles?: true;
  /** Its options and arguments. */
  parser(names: NameParsers): Parser<Mode, Options, unknown>;
  /** What it does. */
  run(
    context: CommandContext,
    options: Options,
  ): Promise<number | void>;
}

/** The flags for a store in PostgreSQL, in place of those for app.db. */
const POSTGRES_PERMISSIONS =
  "--allow-net=HOST:5432 --allow-env='PG*,ZESTOR_DB,ZESTOR_SCHEMA'";

/** A command in the list of commands. */
export interface Command {
  readonly name: string;
  /** Parses its part of a command line into what is to be done. */
  parser(names: NameParsers): Parser<Mode, { action: Action }, unknown>;
}

/** The permissions of commands that read. */
export const READ_PERMISSIONS = "--allow-read=app.db";

/** The permissions of commands that write. */
export const WRITE_PERMISSIONS = "--allow-read=app.db --allow-write=app.db";

/** Makes a command of its definition. */
export function defineCommand<Options>(
  { name, brief, details, example, permissions, isForFiles, parser, run }:
    CommandDefinition<Options>,
): Command {
  const help = {
    brief,
    description: details,
    footer: message`Example: ${text(example)}${lineBreak()}
Permissions: ${text(permissions)}${
      isForFiles ? [] : message`${lineBreak()}
Of a postgres:// URL, in place of those for app.db: ${
        text(POSTGRES_PERMISSIONS)
      }`
    }`,
  };
  const withAction = (options: Options) => ({
    action: (context: CommandContext) => run(context, options),
  });
  return {
    name,
    parser: (names) => command(name, map(parser(names), withAction), help),
  };
}
