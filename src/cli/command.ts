/**
 * The form of a command: a file in `commands/` with its help, its parser and
 * its action, and an entry in the list in `commands/mod.ts`.
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

/** The parts that a command works with. */
export interface CommandContext {
  /** Opens the store that the command line names; `await using` closes it. */
  openStore(access: Access): Promise<CliStore>;
  /** The same, for work that only a store in a file supports. */
  openFile(access: Access, what: FileOnly): Promise<SqliteStore>;
  /** Opens the two stores of a copy; `await using` closes them. */
  openEnds(names: EndNames): Promise<Ends>;
  /** Opens the store to read, as soon as it exists. */
  openStoreWhenThere(): Promise<AwaitedStore>;
  /** The environment variables that name the store for another process. They may contain a password. */
  variablesOf(store: CliStore): Promise<Record<string, string>>;
  /** How to print data. Without a format: a table on a terminal, else one line a record. */
  printing(format: Format | undefined): PrintOptions;
  /** The output. */
  readonly output: Output;
  /** The codec of the store. */
  readonly codec: CodecName;
  /** Aborts when the command is interrupted. */
  readonly signal: AbortSignal;
  /** Leaves Ctrl-C to another program on the same terminal, until it is disposed of. */
  yieldTerminal(): Disposable;
}

/** Runs a command. Returns its exit code if that is not 0. */
export type Action = (context: CommandContext) => Promise<number | void>;

/** A command, as its file defines it. */
export interface CommandDefinition<Options> {
  readonly name: string;
  /** The action, in one line. */
  readonly brief: Message;
  /** Details: the output, and the failures. */
  readonly details: Message;
  /** An example of a command line for a store at `app.db`. */
  readonly example: string;
  /** The flags of `deno run` that it needs for a store at `app.db`, and no more. */
  readonly permissions: string;
  /** Whether it is only for stores in files. */
  readonly isForFiles?: true;
  /** Its options and arguments. */
  parser(names: NameParsers): Parser<Mode, Options, unknown>;
  /** Its action. */
  run(
    context: CommandContext,
    options: Options,
  ): Promise<number | void>;
}

/** The flags for a store in PostgreSQL, instead of those for app.db. */
const POSTGRES_PERMISSIONS =
  "--allow-net=HOST:5432 --allow-env='PG*,ZESTOR_DB,ZESTOR_SCHEMA'";

/** The flags for a store in etcd. */
const ETCD_PERMISSIONS = "--allow-net=HOST:2379 --allow-env=ZESTOR_DB";

/** A command in the list of commands. */
export interface Command {
  readonly name: string;
  /** Parses its part of a command line into an action. */
  parser(names: NameParsers): Parser<Mode, { action: Action }, unknown>;
}

/** The permissions of commands that read. */
export const READ_PERMISSIONS = "--allow-read=app.db";

/** The permissions of commands that write. */
export const WRITE_PERMISSIONS = "--allow-read=app.db --allow-write=app.db";

/** Makes a command from its definition. */
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
With a postgres:// URL, instead of those for app.db: ${
        text(POSTGRES_PERMISSIONS)
      }${lineBreak()}
With an etcd:// URL: ${text(ETCD_PERMISSIONS)}`
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
