/**
 * The process in which `leaks_test.ts`, and the soak of the same name, do
 * everything again and again, and look at what is left: garbage that is not
 * collected, listeners, open files, memory. It prints a {@linkcode Rest} for
 * each, as JSON, and then has to end by itself.
 *
 * `deno run -A --v8-flags=--expose-gc tests/support/leaks/leak_side.ts '{"engine":"memory",…}'`
 *
 * @module
 */
import type { Codec, Store } from "../../../mod.ts";
import { numberedKeys, turn } from "../../../src/testing/reading.ts";
import {
  connectTo,
  type Engine,
  type Ground,
  openAnother,
  OPERATIONS,
  type Round,
  STORES,
  WATCHES,
} from "./leak_rounds.ts";

/** How much to do. */
export interface Amount {
  readonly engine: Engine;
  /** How often each kind of round is done. */
  readonly watches: number;
  readonly stores: number;
  readonly operations: number;
  /** How many writes an unread watch sleeps through. */
  readonly writes: number;
  /** Whether to tell how much memory is left, which takes its time. */
  readonly memory: "measured" | "ignored";
}

/** What is left of so many rounds. */
export interface Rest {
  readonly name: string;
  readonly rounds: number;
  /** How many things that have to be garbage are not. */
  readonly alive: number;
  /** Listeners that were added to the signal and not removed. */
  readonly listeners: number;
  readonly files: number;
  /** Bytes that there are more of, on the heap and beside it. */
  readonly heap: number;
  readonly resident: number;
}

/**
 * After how many collections that found none no more is taken to be garbage.
 * What the engine itself still works on, it lets go late.
 */
const QUIET = 20;

const { gc } = globalThis as unknown as { gc(): void };

let encoded = 0;

/** Of one kind: each time other bytes, which cannot be decoded. */
const odd: Codec = {
  name: "odd",
  encode: () => new TextEncoder().encode(`${++encoded}`),
  decode() {
    throw new Error("Cannot be decoded");
  },
};

const LARGE = "x".repeat(100_000);

if (import.meta.main) await main(JSON.parse(Deno.args[0]) as Amount);

async function main(amount: Amount): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "zestor-leaks-" });
  try {
    const { engine, memory } = amount;
    await using store = await openGround(engine, dir);
    const other = await connectTo(engine, `${dir}/ground.db`);
    const shared = countListeners();
    const garbage: Garbage = { refs: [] };
    const ground: Ground = {
      engine,
      dir,
      store,
      other,
      signal: shared.signal,
      drop(thing) {
        garbage.refs.push(new WeakRef(thing));
        return thing;
      },
    };
    const look = { garbage, listeners: shared.count };
    const run = memory === "measured" ? runMeasured : runTogether;
    const unread = store.watch("w");
    const readOnce = store.watch("many", { initial: true }).getReader();
    await readOnce.read();
    // Enough for a checkpoint. SQLite keeps a file that was opened for that, to
    // use it again.
    await store.setAll(
      "large",
      Array(60).fill(0).map((_, i) => [`${i}`, LARGE]),
    );
    await run(partsOf(amount, ground), look);
    await unread.cancel();
    await readOnce.cancel();
    other?.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Something that is done, so many times. */
interface Part {
  readonly name: string;
  readonly rounds: number;
  run(rounds: number): Promise<void>;
}

function partsOf(amount: Amount, ground: Ground): Part[] {
  const rooms: [string, Record<string, Round>, number][] = [
    ["watch", WATCHES, amount.watches],
    ["store", STORES, amount.stores],
    ["operation", OPERATIONS, amount.operations],
  ];
  let n = 0;
  const parts = rooms.flatMap(([room, all, rounds]) =>
    Object.entries(all).map(([name, round]): Part => ({
      name: `${room}: ${name}`,
      rounds,
      async run(rounds) {
        for (let i = 0; i < rounds; i++) await round(ground, n++);
      },
    }))
  );
  return [...parts, {
    name: "W8 writes, and watches that are not read",
    rounds: amount.writes,
    run: (writes) => write(ground, writes),
  }];
}

/** The rests of what was done since `refs` was last replaced. */
interface Garbage {
  refs: WeakRef<object>[];
}

/** Where to look for what is left. */
interface Look {
  readonly garbage: Garbage;
  readonly listeners: () => number;
}

/** Each part twice: what is made once, such as compiled code, is there after the first time. */
async function runMeasured(
  parts: readonly Part[],
  { garbage, listeners }: Look,
): Promise<void> {
  for (const { name, rounds, run } of parts) {
    await run(rounds);
    await collect(garbage.refs);
    garbage.refs = [];
    gc();
    const before = { ...memory(), files: openFiles() };
    await run(rounds);
    const alive = await collect(garbage.refs);
    garbage.refs = [];
    gc();
    const { heap, resident } = memory();
    tell({
      name,
      rounds,
      alive,
      listeners: listeners(),
      files: openFiles() - before.files,
      heap: heap - before.heap,
      resident: resident - before.resident,
    });
  }
}

/** Every part, and then one look at the memory: collecting garbage is most of the time. */
async function runTogether(
  parts: readonly Part[],
  { garbage, listeners }: Look,
): Promise<void> {
  const done: { rest: Rest; refs: WeakRef<object>[] }[] = [];
  for (const { name, rounds, run } of parts) {
    await run(Math.ceil(rounds / 10));
    garbage.refs = [];
    const before = { files: openFiles(), listeners: listeners() };
    await run(rounds);
    const rest = {
      name,
      rounds,
      alive: 0,
      listeners: listeners() - before.listeners,
      files: openFiles() - before.files,
      heap: 0,
      resident: 0,
    };
    done.push({ rest, refs: garbage.refs });
  }
  await collect(done.flatMap(({ refs }) => refs));
  for (const { rest, refs } of done) {
    tell({ ...rest, alive: refs.filter(isAlive).length });
  }
}

async function openGround(engine: Engine, dir: string): Promise<Store> {
  const store = await openAnother({ engine, dir }, "ground.db", {
    codec: { odd },
    // What the log keeps has its size from the beginning on.
    history: 20,
  });
  await store.setAll("many", numberedKeys(300).map((key) => [key, 1] as const));
  return store;
}

/** Collects garbage until nothing more becomes of it; gives how much is alive. */
async function collect(refs: readonly WeakRef<object>[]): Promise<number> {
  let alive = Infinity;
  for (let quiet = 0; quiet < QUIET;) {
    await turn();
    gc();
    // In a turn of its own: what was looked at stays for the rest of it.
    await turn();
    const now = refs.filter(isAlive).length;
    await turn();
    if (now === 0) return 0;
    quiet = now < alive ? 0 : quiet + 1;
    alive = now;
  }
  return alive;
}

function isAlive(ref: WeakRef<object>): boolean {
  return ref.deref() !== undefined;
}

function memory(): { heap: number; resident: number } {
  const { heapUsed, external, rss } = Deno.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

/** Of the stores: their files, and the notifications of them. Deno has its own, which come and go. */
function openFiles(): number {
  if (Deno.build.os !== "linux") return 0;
  const own = /\/zestor-leaks-|inotify/;
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return own.test(Deno.readLinkSync(`/proc/self/fd/${name}`));
    } catch {
      // It was open to list the others.
      return false;
    }
  }).length;
}

/** A signal that knows how many listen to it. */
function countListeners(): { signal: AbortSignal; count(): number } {
  const { signal } = new AbortController();
  const { addEventListener, removeEventListener } = signal;
  const listeners = new Set<unknown>();
  signal.addEventListener = (type: string, listener: EventListener) => {
    listeners.add(listener);
    addEventListener.call(signal, type, listener);
  };
  signal.removeEventListener = (type: string, listener: EventListener) => {
    listeners.delete(listener);
    removeEventListener.call(signal, type, listener);
  };
  return { signal, count: () => listeners.size };
}

/** Many writes. What they leave in the log is bounded by its history. */
async function write(
  { store, drop }: Ground,
  writes: number,
): Promise<void> {
  for (let n = 0; n < writes;) {
    const some: Promise<unknown>[] = [];
    for (let i = 0; i < 100 && n < writes; i++) {
      some.push(store.set("w", `${i}`, drop({ n: n++ })));
    }
    await Promise.all(some);
  }
}

function tell(rest: Rest): void {
  console.log(JSON.stringify(rest));
}
