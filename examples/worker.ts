/**
 * A worker that misses nothing and repeats nothing, however it is stopped and
 * started: it counts the words of texts that other processes write.
 *
 *     deno run --allow-read=. --allow-write=. examples/worker.ts run
 *
 * In another terminal, while it runs and while it does not:
 *
 *     deno run --allow-read=. --allow-write=. examples/worker.ts add note "Milk and bread"
 *     deno run --allow-read=. --allow-write=. examples/worker.ts remove note
 *     deno run --allow-read=. --allow-write=. examples/worker.ts counts
 *
 * It saves the cursor of its last event in the transaction that stores the
 * result, so there is never one without the other. Kill it whenever you like.
 */
import {
  openStore,
  type Store,
  type WatchBookmark,
  type WatchEvent,
  WatchOverflowError,
} from "@zestor/store";

type Kinds = {
  /** The texts, by other processes. */
  texts: string;
  /** The number of words in each text: the worker's results. */
  counts: number;
  /** The place of each worker in the change log: the cursor of its last event. */
  cursors: string;
};

const WORKER = "word counter";

/** Handles the waiting events, and those that come, until the signal aborts. */
async function work(store: Store<Kinds>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const after = await store.get("cursors", WORKER);
    const from = after === undefined ? { initial: true } : { after };
    const watch = store.watch("texts", { ...from, bookmarks: true, signal });
    try {
      for await (const event of watch) await handle(store, event);
    } catch (error) {
      if (!(error instanceof WatchOverflowError)) throw error;
      // The worker was away for longer than the change log reaches back, or the
      // file was put back to an earlier state. It begins again with the present
      // texts.
      await store.delete("cursors", WORKER);
    }
  }
}

async function handle(
  store: Store<Kinds>,
  event: WatchEvent<string> | WatchBookmark,
): Promise<void> {
  const step = store.atomic();
  switch (event.type) {
    case "create":
    case "update":
      step.set("counts", event.key, countWords(event.value));
      break;
    case "delete":
      step.delete("counts", event.key);
      break;
    case "bookmark":
      // A replay lists only the texts that exist, so delete the counts of all
      // others.
      for (const key of await goneTexts(store)) step.delete("counts", key);
      break;
  }
  // In the middle of a replay there is no place to resume. The bookmark at its
  // end has one.
  if (event.revision > 0) step.set("cursors", WORKER, event.cursor);
  await step.commit();
  if (event.type !== "bookmark") console.log(`${event.type} ${event.key}`);
}

async function goneTexts(store: Store<Kinds>): Promise<Set<string>> {
  const counted = new Set(await store.keys("counts"));
  return counted.difference(new Set(await store.keys("texts")));
}

function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

/** The subcommands, each with its arguments. */
const commands: Record<
  string,
  (store: Store<Kinds>, ...args: string[]) => Promise<void>
> = {
  async run(store) {
    const interrupted = new AbortController();
    Deno.addSignalListener("SIGINT", () => interrupted.abort());
    await work(store, interrupted.signal);
  },

  async add(store, key, text) {
    await store.set("texts", key, text);
  },

  async remove(store, key) {
    await store.delete("texts", key);
  },

  async counts(store) {
    for (const [key, words] of await store.list("counts")) {
      console.log(`${key}: ${words}`);
    }
  },
};

const USAGE = `Usage:
  worker run
  worker add <key> <text>
  worker remove <key>
  worker counts`;

if (import.meta.main) {
  const [name, ...args] = Deno.args;
  const command = Object.hasOwn(commands, name ?? "") && commands[name];
  // The first parameter of a command is the store.
  if (command && args.length === command.length - 1) {
    await using store = await openStore<Kinds>({ path: "worker.db" });
    await command(store, ...args);
  } else {
    console.error(USAGE);
    Deno.exitCode = 2;
  }
}
