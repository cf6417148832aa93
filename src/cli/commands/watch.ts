/**
 * `zestor watch`: prints the changes of some kinds, or runs a command for each, from
 * now on or from where an earlier watch was.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message, optionName, text } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { WatchOverflowError } from "../../contract/errors.ts";
import {
  type Command,
  type CommandContext,
  defineCommand,
} from "../command.ts";
import { durationParser } from "../duration.ts";
import { lineOf, UsageError } from "../errors.ts";
import type { NameParsers } from "../names.ts";
import {
  changeTypesParser,
  kindArgument,
  pathParser,
  placeParser,
  prefixOption,
} from "../options.ts";
import { assertShellPermitted } from "../shell.ts";
import { writeError } from "../output/output.ts";
import type { CliStore } from "../stores/settings.ts";
import type { AwaitedStore } from "../stores/waiting.ts";
import { LONGEST_BURST, MOST_EVENTS } from "../watching/bursts.ts";
import { CursorFile, type Place } from "../watching/cursor_file.ts";
import {
  type Followed,
  printEach,
  runForBursts,
  runForEach,
} from "../watching/follow.ts";
import { type Item, keepPlace } from "../watching/place.ts";
import { HAS_SESSIONS, startGuard } from "../watching/process_guard.ts";

/** The longest time without an event that ends a burst, in ms: a day. */
const LONGEST_QUIET = 86_400_000;

function watchParser(names: NameParsers) {
  return object({
    kind: optional(kindArgument(names)),
    more: multiple(argument(names.otherKind("KIND"), {
      description: message`More kinds.`,
    })),
    all: option("--all", {
      description: message`All kinds, also those that come later.`,
    }),
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
      option("--after", placeParser(), {
        description: message`Resume after this revision, or cursor.`,
      }),
    ),
    previous: option("--previous", {
      description: message`Also the value before each update.`,
    }),
    cursor: optional(option("--cursor", pathParser("FILE"), {
      description:
        message`Keep the place in this file, and go on from there the next time; the first time ${
          optionName("--initial")
        } or ${optionName("--after")} tell where to begin.`,
    })),
    wait: option("--wait", {
      description:
        message`If the store's file is not there yet, wait for it, and begin with the first change in it.`,
    }),
    exec: optional(option("--exec", string({ metavar: "COMMAND" }), {
      description:
        message`Run this in a shell for each event, in place of printing it.`,
    })),
    record: option("--record", {
      description:
        message`Give the command the whole event on its standard input, as the line that a watch prints.`,
    }),
    debounce: optional(
      option("--debounce", durationParser(LONGEST_QUIET), {
        description:
          message`Run the command once for a burst of events: when none has come for this long, such as 500ms or 10s.`,
      }),
    ),
    keepGoing: option("--keep-going", {
      description: message`Go on if a command fails.`,
    }),
  });
}

type Options = InferValue<ReturnType<typeof watchParser>>;

/** The command. */
export const watch: Command = defineCommand({
  name: "watch",
  brief:
    message`Prints each change of some kinds as it happens, whoever makes it.`,
  details:
    message`A line of JSON for each, with the names type, kind, key, value, version and revision, is written at once; with expiresAt if the entry expires, and expired if it was deleted because it had. The kinds are in one order. With --previous an update has the value before as previous. A command of --exec has them in its environment, as ZESTOR_TYPE, ZESTOR_KIND, ZESTOR_KEY, ZESTOR_VERSION and ZESTOR_REVISION, and the store as ZESTOR_DB; the value is JSON on its standard input. It runs for one event at a time. If it fails the watch ends, with exit code 3, and with a cursor the event comes again the next time. A kind or a key that is too long for the environment is empty there with --record; without, the event is skipped, with an error. With --debounce it runs once for a burst, and reads all its events on standard input, as the lines that a watch prints; ZESTOR_EVENTS is their number and ZESTOR_REVISION that of the last, and ZESTOR_TYPE, ZESTOR_KEY and ZESTOR_VERSION are empty, and ZESTOR_KIND, too, if several kinds are watched. A burst that goes on is cut after ${
      text(String(LONGEST_BURST))
    } times the duration, or ${
      text(String(MOST_EVENTS))
    } events, or 16 million characters. The cursor is kept after the command. When the watch ends, a burst that waits is dropped, and with a cursor comes again the next time. When the watch ends, all that its commands started ends, too. The watch ends, with exit code 0, when it is interrupted, and when nobody reads what it prints.`,
  example:
    "zestor watch users --cursor seen --exec 'deno task build' --db app.db",
  permissions:
    "--allow-read=app.db,app.db-wal,seen,seen.next,seen.lock --allow-write=seen,seen.next,seen.lock --allow-run=sh",
  parser: watchParser,
  async run(context, options) {
    assertTogether(options);
    using cursor = options.cursor === undefined
      ? undefined
      : new CursorFile(options.cursor, { ...options, kinds: kindsOf(options) });
    await cursor?.assertPermitted();
    if (options.exec !== undefined) await assertShellPermitted("run a command");
    cursor?.lock();
    const saved = cursor?.read();
    try {
      const opened = options.wait
        ? await context.openStoreWhenThere()
        : { store: await context.openStore("read"), wasThere: true };
      await using _store = opened.store;
      await follow(opened, { context, options, cursor, saved });
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
  const { initial, after, key, prefix, exec, all, previous } = options;
  const hasRecords = exec === undefined || options.record ||
    options.debounce !== undefined;
  const forExec = [
    ["--keep-going", options.keepGoing],
    ["--record", options.record],
    ["--debounce", options.debounce !== undefined],
  ] as const;
  const [alone] = forExec.find(([, given]) => given && exec === undefined) ??
    [];
  const problem = all === (options.kind !== undefined)
    ? "give one or more kinds, or --all"
    : initial && after !== undefined
    ? "--initial begins anew and --after resumes; give one of them"
    : key !== undefined && prefix !== undefined
    ? "--key and --prefix exclude each other; give one of them"
    : alone !== undefined
    ? `${alone} is for --exec`
    : previous && !hasRecords
    ? "with --exec, --previous needs --record or --debounce"
    : undefined;
  if (problem) throw new UsageError(`Cannot watch: ${problem}`);
}

/** The kinds that are watched; all of them if it is absent. */
function kindsOf({ kind, more }: Options): string[] | undefined {
  return kind === undefined ? undefined : [...new Set([kind, ...more])];
}

/** One run of the command. */
interface Watching {
  readonly context: CommandContext;
  readonly options: Options;
  readonly cursor: CursorFile | undefined;
  /** The place that the cursor had. */
  readonly saved: Place | undefined;
}

async function follow(
  { store, wasThere }: AwaitedStore,
  watching: Watching,
): Promise<void> {
  const { context, options, cursor, saved } = watching;
  const { key, prefix, types, previous } = options;
  const { signal } = context;
  const kinds = kindsOf(options);
  const begin = saved !== undefined
    ? { after: saved }
    : await firstPlace(store, wasThere, watching);
  await using guard = options.exec !== undefined && HAS_SESSIONS
    ? startGuard()
    : undefined;
  const settings = {
    key,
    prefix,
    types,
    previous,
    ...begin,
    bookmarks: cursor !== undefined,
    onUnreadable: tellUnreadable,
    signal,
  };
  const items: ReadableStream<Item> = kinds
    ? store.watch(kinds, settings)
    : store.watchAll(settings);
  const { toJson } = context.printing("ndjson");
  const followed: Followed = { items, cursor, toJson, signal };
  const { exec, keepGoing, record, debounce } = options;
  if (exec === undefined) return await printEach(followed);
  const variables = await context.variablesOf(store);
  const command = { text: exec, store: variables, signal, guard };
  const run = { ...followed, command, keepGoing };
  await (debounce === undefined
    ? runForEach(run, record ? "record" : "value")
    : runForBursts(run, {
      kind: kinds?.length === 1 ? kinds[0] : undefined,
      quiet: debounce,
    }));
}

/** To stop at such a value would stop every later watch with the same cursor. */
function tellUnreadable(error: Error): void {
  writeError(`zestor: ${lineOf(error)}; the event is skipped`);
}

/** Where a watch begins that has no place yet. */
type Begin = { readonly initial: true } | { readonly after?: Place };

/** Where a watch begins. With a cursor that is kept, so that what comes from then on is missed by none. */
async function firstPlace(
  store: CliStore,
  wasThere: boolean,
  { options: { initial, after }, cursor }: Watching,
): Promise<Begin> {
  if (initial) return { initial };
  if (after !== undefined) return { after };
  if (wasThere && !cursor) return {};
  const { log } = await store.info();
  // All in the file has happened since the watch waits for it.
  const place = wasThere ? log?.newest : 0;
  // The file was put there, and its log does not tell all that is in it.
  if (!wasThere && log !== undefined && log.oldest > 1) {
    return { initial: true };
  }
  keepPlace(cursor, place);
  return { after: place };
}

function lostPlace(path: string, cause: WatchOverflowError): Error {
  return new Error(
    `${cause.message}; the place is that of ${path}: remove it to begin anew, with --initial for what is there`,
    { cause },
  );
}
