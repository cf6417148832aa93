/**
 * `zestor watch`: prints the changes of some kinds, or runs a command for each,
 * from now on or from the place where an earlier watch ended.
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
      description:
        message`All kinds, including kinds that get their first entry later.`,
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
      description: message`First print the present entries, as create events.`,
    }),
    after: optional(
      option("--after", placeParser(), {
        description: message`Resume after this revision or cursor.`,
      }),
    ),
    previous: option("--previous", {
      description: message`Also print the value before each update.`,
    }),
    cursor: optional(option("--cursor", pathParser("FILE"), {
      description:
        message`Keep the place in this file, and go on from there at the next run. At the first run, ${
          optionName("--initial")
        } or ${optionName("--after")} decide where to begin.`,
    })),
    wait: option("--wait", {
      description:
        message`If the store's file does not exist yet, wait for it, and begin with its first change.`,
    }),
    exec: optional(option("--exec", string({ metavar: "COMMAND" }), {
      description:
        message`Run this shell command for each event, instead of printing it.`,
    })),
    record: option("--record", {
      description:
        message`Give the command the whole event on its standard input: the line that a watch prints.`,
    }),
    debounce: optional(
      option("--debounce", durationParser(LONGEST_QUIET), {
        description:
          message`Run the command once for a burst of events: when no event has come for this time, such as 500ms or 10s.`,
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
    message`Prints each change of some kinds as it happens, by any writer.`,
  details:
    message`It prints each change at once, as a line of JSON with type, kind, key, value, version, revision, expiresAt if the entry expires, and expired if the entry was deleted because it had expired. The changes of all kinds are in one order. With --previous, an update has the value before as previous. A command of --exec gets the event in its environment, as ZESTOR_TYPE, ZESTOR_KIND, ZESTOR_KEY, ZESTOR_VERSION and ZESTOR_REVISION, and the store as ZESTOR_DB; the value is JSON on its standard input. The command runs for one event at a time. If it fails, the watch ends with exit code 3, and with a cursor the event comes again at the next run. If a kind or a key is too long for the environment, it is empty there with --record; without --record, the event is skipped, with an error. With --debounce, the command runs once for a burst, and reads its events on standard input, as the lines that a watch prints. Then ZESTOR_EVENTS is their number, and ZESTOR_REVISION is that of the last event; ZESTOR_TYPE, ZESTOR_KEY and ZESTOR_VERSION are empty, and so is ZESTOR_KIND if several kinds are watched. A long burst is cut after ${
      text(String(LONGEST_BURST))
    } times the duration, or ${
      text(String(MOST_EVENTS))
    } events, or 16 million characters. The cursor is saved after the command. When the watch ends, it drops a burst that waits; with a cursor, the burst comes again at the next run. When the watch ends, it also ends all processes that its commands have started. When the watch is interrupted, or nobody reads its output, it ends with exit code 0.`,
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
      // An interruption is the normal end.
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

/** The watched kinds; `undefined` for all kinds. */
function kindsOf({ kind, more }: Options): string[] | undefined {
  return kind === undefined ? undefined : [...new Set([kind, ...more])];
}

/** A run of the watch. */
interface Watching {
  readonly context: CommandContext;
  readonly options: Options;
  readonly cursor: CursorFile | undefined;
  /** The place in the cursor file. */
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

/**
 * If the watch stopped at such a value, every later watch with the same cursor
 * would stop there, too.
 */
function tellUnreadable(error: Error): void {
  writeError(`zestor: ${lineOf(error)}; the event is skipped`);
}

/** The beginning of a watch that has no place yet. */
type Begin = { readonly initial: true } | { readonly after?: Place };

/**
 * The place where a watch begins. With a cursor file, the place is saved at
 * once, so that no later event is missed.
 */
async function firstPlace(
  store: CliStore,
  wasThere: boolean,
  { options: { initial, after }, cursor }: Watching,
): Promise<Begin> {
  if (initial) return { initial };
  if (after !== undefined) return { after };
  if (wasThere && !cursor) return {};
  const { log } = await store.info();
  // Every change in the file came after the watch began to wait for it.
  const place = wasThere ? log?.newest : 0;
  // Somebody moved the file there, and its log does not have all of its
  // changes.
  if (!wasThere && log !== undefined && log.oldest > 1) {
    return { initial: true };
  }
  keepPlace(cursor, place);
  return { after: place };
}

function lostPlace(path: string, cause: WatchOverflowError): Error {
  return new Error(
    `${cause.message}; the place comes from ${path}: remove this file to begin anew, with --initial to get the present entries`,
    { cause },
  );
}
