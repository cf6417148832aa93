/**
 * `zestor watch`: prints the changes of a kind, or runs a command for each, from
 * now on or from where an earlier watch was.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message, optionName } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import type { WatchBookmark, WatchEvent } from "../../contract/watch.ts";
import { WatchOverflowError } from "../../contract/errors.ts";
import type { SqliteStore } from "../../sqlite/sqlite_store.ts";
import {
  type Command,
  type CommandContext,
  defineCommand,
} from "../command.ts";
import { lineOf, UsageError } from "../errors.ts";
import type { NameParsers } from "../names.ts";
import {
  changeTypesParser,
  kindArgument,
  pathParser,
  prefixOption,
} from "../options.ts";
import { openOutput, writeError } from "../output/output.ts";
import { CursorFile } from "../watching/cursor_file.ts";
import {
  assertShellPermitted,
  type EventCommand,
  runForEvent,
} from "../watching/event_command.ts";
import { printEvent } from "../watching/event_printer.ts";
import { SkippedEventError } from "../watching/skipped_event.ts";
import {
  HAS_SESSIONS,
  type ProcessGuard,
  startGuard,
} from "../watching/process_guard.ts";

/** How long a reader may take to read the last line once the watch is to end, in ms. */
const LAST_LINE_MS = 1_000;

function watchParser(names: NameParsers) {
  return object({
    kind: kindArgument(names),
    key: optional(option("--key", names.key, {
      description: message`Only this key.`,
    })),
    prefix: prefixOption(),
    types: optional(option("--types", changeTypesParser(), {
      description:
        message`Only changes of these types, separated by commas: create, update, delete.`,
    })),
    initial: option("--initial", {
      description: message`First what is there, as create events.`,
    }),
    after: optional(
      option("--after", integer({ min: 0, metavar: "REVISION" }), {
        description: message`Resume after this revision.`,
      }),
    ),
    cursor: optional(option("--cursor", pathParser("FILE"), {
      description:
        message`Keep the place in this file, and go on from there the next time; the first time ${
          optionName("--initial")
        } or ${optionName("--after")} tell where to begin.`,
    })),
    exec: optional(option("--exec", string({ metavar: "COMMAND" }), {
      description:
        message`Run this in a shell for each event, in place of printing it.`,
    })),
    record: option("--record", {
      description:
        message`Give the command the whole event on its standard input, as the line that a watch prints.`,
    }),
    keepGoing: option("--keep-going", {
      description: message`Go on if a command fails.`,
    }),
  });
}

type Options = InferValue<ReturnType<typeof watchParser>>;

/** The command. */
export const watch: Command = defineCommand({
  name: "watch",
  brief: message`Prints each change of a kind as it happens, whoever makes it.`,
  details:
    message`A line of JSON for each, with the names type, kind, key, value, version and revision, is written at once. A command of --exec has them in its environment, as ZESTOR_TYPE, ZESTOR_KIND, ZESTOR_KEY, ZESTOR_VERSION and ZESTOR_REVISION, and the store as ZESTOR_DB; the value is JSON on its standard input. It runs for one event at a time. If it fails the watch ends, with exit code 3, and with a cursor the event comes again the next time. A kind or a key that is too long for the environment is empty there with --record; without, the event is skipped, with an error. When the watch ends, all that its commands started ends, too. The watch ends, with exit code 0, when it is interrupted, and when nobody reads what it prints.`,
  example:
    "zestor watch users --cursor seen --exec 'deno task build' --db app.db",
  permissions:
    "--allow-read=app.db,app.db-wal,seen,seen.next,seen.lock --allow-write=seen,seen.next,seen.lock --allow-run=sh",
  parser: watchParser,
  async run(context, options) {
    assertTogether(options);
    using cursor = options.cursor === undefined
      ? undefined
      : new CursorFile(options.cursor, options);
    await cursor?.assertPermitted();
    if (options.exec !== undefined) await assertShellPermitted();
    cursor?.lock();
    const saved = cursor?.read();
    await using store = await context.openStore("read");
    try {
      await follow(store, { context, options, cursor, saved });
    } catch (error) {
      // That is how it ends.
      if (context.signal.aborted) return;
      throw saved !== undefined && error instanceof WatchOverflowError
        ? lostPlace(options.cursor!, error)
        : error;
    }
  },
});

function assertTogether(options: Options): void {
  const { initial, after, key, prefix, exec, record, keepGoing } = options;
  const problem = initial && after !== undefined
    ? "--initial begins anew and --after resumes; give one of them"
    : key !== undefined && prefix !== undefined
    ? "--key and --prefix exclude each other; give one of them"
    : keepGoing && exec === undefined
    ? "--keep-going is for --exec"
    : record && exec === undefined
    ? "--record is for --exec"
    : undefined;
  if (problem) throw new UsageError(`Cannot watch: ${problem}`);
}

/** One run of the command. */
interface Watching {
  readonly context: CommandContext;
  readonly options: Options;
  readonly cursor: CursorFile | undefined;
  /** The place that the cursor had. */
  readonly saved: number | undefined;
}

async function follow(store: SqliteStore, watching: Watching): Promise<void> {
  const { context: { signal }, options, cursor } = watching;
  const { kind, key, prefix, types, initial } = options;
  const after = watching.saved ?? options.after ??
    await firstPlace(store, watching);
  await using guard = options.exec !== undefined && HAS_SESSIONS
    ? startGuard()
    : undefined;
  const handle = await handlerOf(store, watching, guard);
  const items = store.watch(kind, {
    key,
    prefix,
    types,
    after,
    initial: initial && after === undefined,
    bookmarks: cursor !== undefined,
    signal,
  });
  for await (const item of items) {
    if (item.type === "bookmark") keepPlace(cursor, item);
    else await handle(item);
  }
}

/** Where a watch begins that has a cursor, and no place yet: what comes from now on is missed by none. */
async function firstPlace(
  store: SqliteStore,
  { options, cursor }: Watching,
): Promise<number | undefined> {
  if (!cursor || options.initial) return undefined;
  const revision = (await store.info()).log?.newest;
  if (revision !== undefined) keepPlace(cursor, { revision });
  return revision;
}

function keepPlace(
  cursor: CursorFile | undefined,
  { revision }: Pick<WatchBookmark, "revision">,
): void {
  cursor?.prepare(revision);
  cursor?.keep();
}

function keepPlaceOf(event: WatchEvent, cursor: CursorFile | undefined): void {
  // In the middle of a replay there is no place to go on from.
  if (event.revision > 0) keepPlace(cursor, event);
}

/** What is done with each event. */
type Handle = (event: WatchEvent) => Promise<void>;

async function handlerOf(
  store: SqliteStore,
  watching: Watching,
  guard: ProcessGuard | undefined,
): Promise<Handle> {
  const { context: { signal }, options: { keepGoing }, cursor } = watching;
  const handle = await actionOf(store, watching, guard);
  return async (event) => {
    try {
      return await handle(event);
    } catch (error) {
      const goesOn = keepGoing || error instanceof SkippedEventError;
      if (!goesOn || signal.aborted) throw error;
      writeError(`zestor: ${lineOf(error)}`);
    }
    keepPlaceOf(event, cursor);
  };
}

/** Prints an event, or runs the command for it, and keeps its place. */
async function actionOf(
  store: SqliteStore,
  { context, options, cursor }: Watching,
  guard: ProcessGuard | undefined,
): Promise<Handle> {
  const { toJson } = context.printing("ndjson");
  const { exec: text, record } = options;
  if (text === undefined) {
    const output = openOutput("never", later(context.signal, LAST_LINE_MS));
    return (event) => printEvent(event, { output, toJson, cursor });
  }
  const { path: db } = await store.info();
  const command: EventCommand = {
    text,
    db,
    input: record ? "record" : "value",
    toJson,
    signal: context.signal,
    guard,
  };
  return async (event) => {
    await runForEvent(command, event);
    keepPlaceOf(event, cursor);
  };
}

/** A signal that aborts some time after another. */
function later(signal: AbortSignal, ms: number): AbortSignal {
  const controller = new AbortController();
  signal.addEventListener("abort", () => {
    Deno.unrefTimer(setTimeout(() => controller.abort(signal.reason), ms));
  });
  return controller.signal;
}

function lostPlace(path: string, cause: WatchOverflowError): Error {
  return new Error(
    `${cause.message}; the place is that of ${path}: remove it to begin anew, with --initial for what is there`,
    { cause },
  );
}
