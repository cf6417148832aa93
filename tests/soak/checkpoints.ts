/**
 * Steady writing by several processes while others watch: slowly, idly, and by
 * replaying a large kind again and again. The write-ahead log must stay small,
 * so nobody may keep a checkpoint from finishing for long; and every watch must
 * see every change.
 *
 * `deno task soak tests/soak/checkpoints.ts --minutes=5 --driver=auto`
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { openStore, type SqliteStore } from "../../mod.ts";
import { denoRun } from "../support/processes/deno_run.ts";
import { Random } from "../support/random.ts";
import { readFlags } from "./flags.ts";

/** How large the write-ahead log may grow, in bytes. */
const MAX_WAL = 64 * 2 ** 20;
const WRITERS = 2;
/** How many writes a second each writer makes. */
const RATE = 500;
/** How many entries the large kind has. */
const LARGE = 20_000;
/** For how long after the last write a watch may take to see it, in ms. */
const GRACE = 30_000;

type Kind = "busy" | "large" | "quiet";
type Kinds = Record<Kind, Value>;

interface Value {
  writer: number;
  /** Counts the writer's writes to the kind, from 1; the entries it found there have 0. */
  n: number;
  /** Whether it is the writer's last to the kind. */
  last: boolean;
  padding: string;
}

type Role = "write" | "follow" | "follow slowly" | "idle" | "replay";

/** What each process gets. */
interface Task {
  role: Role;
  path: string;
  driver: "auto" | "ffi" | "builtin";
  writer: number;
  /** In ms. */
  duration: number;
  seed: string;
}

/** What each process tells at its end. */
interface Report {
  /** How many changes it wrote, or saw. */
  changes: number;
  note?: string;
}

const ROLES: Record<
  Role,
  (store: SqliteStore<Kinds>, task: Task) => Promise<Report>
> = {
  "write": write,
  "follow": (store) => follow(store, "busy", 0),
  "follow slowly": (store) => follow(store, "busy", 1_000),
  "idle": (store) => follow(store, "quiet", 0),
  "replay": replay,
};
const WATCHERS = ["follow", "follow slowly", "idle", "replay"] as const;

function open(
  path: string,
  driver: Task["driver"],
): Promise<SqliteStore<Kinds>> {
  return openStore<Kinds>({
    path,
    driver,
    durability: "normal",
    history: 50_000,
  });
}

async function soak(): Promise<void> {
  const { minutes, seed, ...flags } = readFlags({ minutes: 5, driver: "auto" });
  const driver = flags.driver as Task["driver"];
  const dir = await Deno.makeTempDir({ prefix: "zestor-soak-" });
  try {
    const path = `${dir}/soak.db`;
    await using store = await open(path, driver);
    console.log(`On the driver ${store.driver}`);
    await fill(store);
    const wal = sampleSize(`${path}-wal`);
    const common = { path, driver, duration: minutes * 60_000, seed };
    const start = (role: Role, writer = 0) =>
      startPeer({ ...common, role, writer });
    const watchers = WATCHERS.map((role) => start(role));
    for (const { ready } of watchers) await ready;
    const writers = Array.from(
      { length: WRITERS },
      (_, writer) => start("write", writer),
    );

    let written = 0;
    for (const { report } of writers) written += (await report).changes;
    const atEnd = sizeOf(`${path}-wal`);
    const late = setTimeout(() => {
      console.error("A watch has missed a change: it is still waiting");
      Deno.exit(1);
    }, GRACE);
    for (const [i, { report }] of watchers.entries()) {
      const { changes, note } = await report;
      console.log(`${WATCHERS[i]}: saw ${changes} changes${note ?? ""}`);
    }
    clearTimeout(late);
    const most = wal.stop();
    console.log(
      `${written} changes, ${
        (written / minutes / 60).toFixed(0)
      } a second; the write-ahead log had at most ${mib(most)} MiB, ${
        mib(atEnd)
      } MiB at the end; the database has ${mib(sizeOf(path))} MiB`,
    );
    if (most > MAX_WAL) {
      throw new Error("The write-ahead log has grown too large");
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function fill(store: SqliteStore<Kinds>): Promise<void> {
  const entries = Array.from(
    { length: LARGE },
    (_, i) => [keyOf(i), valueOf(i % WRITERS, 0)] as const,
  );
  await store.setAll("large", entries);
}

/** Runs this file in another process, which is ready when it has said its first line. */
function startPeer(
  task: Task,
): { ready: Promise<void>; report: Promise<Report> } {
  const child = denoRun(new URL(import.meta.url), {
    flags: ["--allow-all", "--no-check"],
    args: ["--peer", JSON.stringify(task)],
    stdout: "piped",
  }).spawn();
  const ready = Promise.withResolvers<void>();
  const read = async () => {
    let text = "";
    for await (
      const part of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      text += part;
      ready.resolve();
    }
    const { code } = await child.status;
    if (code !== 0) throw new Error(`The process to ${task.role} has failed`);
    return JSON.parse(text.slice(text.indexOf("\n")));
  };
  return { ready: ready.promise, report: read() };
}

function sayReady(): void {
  console.log("ready");
}

// Writers.

async function write(
  store: SqliteStore<Kinds>,
  { writer, duration, seed }: Task,
): Promise<Report> {
  sayReady();
  const random = new Random(`${seed}${writer}`);
  const counts: Record<Kind, number> = { busy: 0, large: 0, quiet: 0 };
  let changes = 0;
  const put = async (kind: Kind, last = false) => {
    const n = ++counts[kind];
    changes++;
    const key = keyOf(random.below(LARGE));
    // Some values are large.
    const size = random.chance(0.002) ? 100_000 : random.below(2_000);
    await store.set(kind, key, valueOf(writer, n, last, size));
  };
  const start = performance.now();
  for (;;) {
    const elapsed = performance.now() - start;
    if (elapsed >= duration) break;
    const writes: Promise<void>[] = [];
    while (changes < elapsed / 1_000 * RATE) {
      const isQuiet = changes % (10 * RATE) === 0;
      writes.push(
        put(isQuiet ? "quiet" : random.chance(0.1) ? "large" : "busy"),
      );
    }
    await Promise.all(writes);
    await delay(5);
  }
  for (const kind of ["busy", "large", "quiet"] as const) await put(kind, true);
  return { changes };
}

// Watchers.

/** Checks that it sees each change of each writer, until the last. */
class Follower {
  readonly #counts: number[] = Array(WRITERS).fill(0);
  readonly #ended = new Set<number>();

  /** Takes what a replay showed: the writers' newest changes are the newest of all. */
  replayed({ writer, n, last }: Value): void {
    this.#counts[writer] = Math.max(this.#counts[writer], n);
    if (last) this.#ended.add(writer);
  }

  saw({ writer, n, last }: Value): void {
    const expected = this.#counts[writer] + 1;
    if (n !== expected) {
      throw new Error(
        `Expected change ${expected} of writer ${writer}, found ${n}`,
      );
    }
    this.#counts[writer] = n;
    if (last) this.#ended.add(writer);
  }

  /** Whether every writer has come to its end. */
  get isDone(): boolean {
    return this.#ended.size === WRITERS;
  }
}

/** Follows a kind; pauses (ms) after each thousand changes. */
async function follow(
  store: SqliteStore<Kinds>,
  kind: Kind,
  pause: number,
): Promise<Report> {
  const watch = store.watch(kind);
  sayReady();
  const follower = new Follower();
  let changes = 0;
  for await (const { value } of watch) {
    follower.saw(value);
    if (++changes % 1_000 === 0 && pause > 0) await delay(pause);
    if (follower.isDone) break;
  }
  return { changes };
}

/** Replays the large kind slowly, and follows it for a while, again and again. */
async function replay(store: SqliteStore<Kinds>): Promise<Report> {
  sayReady();
  let changes = 0;
  let replays = 0;
  let isDone = false;
  while (!isDone) {
    const follower = new Follower();
    let entries = 0;
    let live = -1;
    const watch = store.watch("large", { initial: true, bookmarks: true });
    for await (const event of watch) {
      if (event.type === "bookmark") {
        if (live < 0) live = 0;
      } else if (live < 0) {
        follower.replayed(event.value);
        if (++entries % 256 === 0) await delay(30);
      } else {
        follower.saw(event.value);
        live++;
      }
      isDone = live >= 0 && follower.isDone;
      if (isDone || live >= 50) break;
    }
    if (entries !== LARGE) {
      throw new Error(`Expected ${LARGE} entries, found ${entries}`);
    }
    changes += live;
    replays++;
  }
  return { changes, note: ` after ${replays} replays of ${LARGE} entries` };
}

// Figures.

function keyOf(i: number): string {
  return String(i).padStart(6, "0");
}

function valueOf(writer: number, n: number, last = false, size = 100): Value {
  return { writer, n, last, padding: "x".repeat(size) };
}

/** Samples a file's size until stopped, then gives the largest. */
function sampleSize(path: string): { stop(): number } {
  let most = 0;
  const timer = setInterval(() => most = Math.max(most, sizeOf(path)), 20);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

if (Deno.args[0] === "--peer") {
  const task: Task = JSON.parse(Deno.args[1]);
  const { path, driver } = task;
  await using store = await open(path, driver);
  console.log(JSON.stringify(await ROLES[task.role](store, task)));
} else {
  await soak();
}
