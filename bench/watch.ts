/**
 * How soon a watch tells, and what it costs: as tables in Markdown.
 *
 * `deno run -A bench/watch.ts [--quick] [--driver=builtin|ffi]`
 *
 * @module
 */
import { openStore, type SqliteStore, type StoreOptions } from "../mod.ts";
import { deafen } from "../tests/support/faults/deaf.ts";
import { now, startPeer } from "./peer.ts";

const quick = Deno.args.includes("--quick");
const driver = (Deno.args.find((arg) => arg.startsWith("--driver="))
  ?.slice("--driver=".length) ?? "builtin") as "builtin" | "ffi";

/** How many commits are timed. */
const COMMITS = quick ? 300 : 2_000;
/** For how long idle processes are measured, in ms. */
const IDLE_MS = quick ? 5_000 : 20_000;
/** How many watches are many. */
const MANY = 100;
const ROUNDS = quick ? 5 : 25;
const SETS_PER_ROUND = 200;

const dir = await Deno.makeTempDir({ prefix: "zestor-bench-" });
try {
  await timeEvents();
  await measureIdling();
  await measureManyWatches();
} finally {
  await Deno.remove(dir, { recursive: true });
}

// From the commit to the event.

async function timeEvents(): Promise<void> {
  const { watchFs } = Deno;
  const rows: string[][] = [];
  const add = (name: string, latencies: number[]) => {
    const sorted = latencies.toSorted((a, b) => a - b);
    const figures = [
      quantile(sorted, 0.5),
      quantile(sorted, 0.99),
      sorted.at(-1)!,
    ];
    rows.push([name, `${sorted.length}`, ...figures.map((n) => n.toFixed(3))]);
  };
  add(
    'other process, durability "full"',
    await timeOther({ durability: "full" }),
  );
  add(
    'other process, durability "normal"',
    await timeOther({ durability: "normal" }),
  );
  add("other process, `wal: false`", await timeOther({ wal: false }));
  {
    using _ = deafen();
    add("other process, notifications that never come", await timeOther({}));
  }
  Deno.watchFs = () => {
    throw new Deno.errors.NotSupported("no notifications here");
  };
  add("other process, no notifications (polling)", await timeOther({}));
  Deno.watchFs = watchFs;
  const own = await timeOwn();
  add("same process, from the end of `set`", own.fromEnd);
  add("same process, from the call of `set`", own.fromCall);
  printTable(["commit → event, in ms", "commits", "p50", "p99", "max"], rows);
}

async function timeOther(options: Partial<StoreOptions>): Promise<number[]> {
  const path = await Deno.makeTempFile({ dir, suffix: ".db" });
  const opening = { path, driver, ...options };
  await using store = await openStore(opening);
  const writer = startPeer({ role: "write", pauses: somePauses(), ...opening });
  await writer.ready;
  const seen: bigint[] = [];
  const watch = store.watch("k");
  await writer.begin();
  for await (const { value } of watch) {
    seen.push(now());
    if (value === COMMITS - 1) break;
  }
  const written = await writer.result;
  if (seen.length !== written.length) throw new Error("A change was missed");
  return written.map((time, n) => milliseconds(seen[n] - BigInt(time)));
}

async function timeOwn(): Promise<{ fromCall: number[]; fromEnd: number[] }> {
  const path = await Deno.makeTempFile({ dir, suffix: ".db" });
  await using store = await openStore({ path, driver });
  const seen: bigint[] = [];
  const watching = (async () => {
    for await (const { value } of store.watch("k")) {
      seen.push(now());
      if (value === COMMITS - 1) break;
    }
  })();
  const times: { call: bigint; end: bigint }[] = [];
  for (let n = 0; n < COMMITS; n++) {
    await pause(2);
    const call = now();
    await store.set("k", "n", n);
    times.push({ call, end: now() });
  }
  await watching;
  return {
    fromCall: times.map(({ call }, n) => milliseconds(seen[n] - call)),
    fromEnd: times.map(({ end }, n) => milliseconds(seen[n] - end)),
  };
}

/** Pauses before commits, in ms: most are tight, a tenth idle, a few long. */
function somePauses(): number[] {
  const long = quick ? 1 : 3;
  return Array.from({ length: COMMITS }, (_, n) => {
    if (n % Math.floor(COMMITS / long) === 100) {
      return 2_000 + Math.random() * 300;
    }
    if (Math.random() < 0.1) return 50 + Math.random() * 30;
    return Math.random() < 0.3 ? 0 : Math.random() * 5;
  });
}

// Idling.

async function measureIdling(): Promise<void> {
  const counts = [0, 1, MANY];
  const peers = await Promise.all(counts.map(async (watches) => {
    const path = await Deno.makeTempFile({ dir, suffix: ".db" });
    const peer = startPeer({
      role: "idle",
      path,
      driver,
      watches,
      duration: IDLE_MS,
    });
    await peer.ready;
    return peer;
  }));
  for (const peer of peers) await peer.begin();
  const results = await Promise.all(peers.map(({ result }) => result));
  printTable(
    [`idle for ${IDLE_MS / 1_000} s`, "CPU, in ms", "CPU, in %", "wake-ups"],
    results.map(({ cpu, wakeUps }, i) => [
      `${counts[i]} watches`,
      cpu.toFixed(1),
      (100 * cpu / IDLE_MS).toFixed(3),
      `${wakeUps ?? "not known"}`,
    ]),
  );
}

// Many watches.

interface Bed {
  readonly name: string;
  readonly store: SqliteStore;
  /** What its watches have seen. */
  seen: number;
  readonly watches: number;
  /** Of each round: µs for each `set`, until the watches have seen it. */
  readonly costs: number[];
}

async function measureManyWatches(): Promise<void> {
  const beds = [
    await makeBed("no watches", 0, "other"),
    await makeBed(`${MANY} watches of another kind`, MANY, "other"),
    await makeBed(`${MANY} watches of the kind`, MANY, "k"),
  ];
  for (let round = -1; round < ROUNDS; round++) {
    for (const bed of beds) {
      const cost = await setMany(bed);
      // The first is to warm up.
      if (round >= 0) bed.costs.push(cost);
    }
  }
  const [{ costs: base }] = beds;
  printTable(
    ["own `set`", "µs, median", "ratio, median"],
    beds.map(({ name, costs }) => [
      name,
      median(costs).toFixed(1),
      median(costs.map((cost, i) => cost / base[i])).toFixed(2),
    ]),
  );
  for (const { store } of beds) await store.close();
}

async function makeBed(
  name: string,
  watches: number,
  kind: string,
): Promise<Bed> {
  const path = await Deno.makeTempFile({ dir, suffix: ".db" });
  const store = await openStore({ path, driver, durability: "normal" });
  const bed: Bed = {
    name,
    store,
    seen: 0,
    watches: kind === "k" ? watches : 0,
    costs: [],
  };
  const follow = async (watch: ReadableStream) => {
    for await (const _ of watch) bed.seen++;
  };
  for (let i = 0; i < watches; i++) follow(store.watch(kind));
  await pause(10);
  return bed;
}

async function setMany(bed: Bed): Promise<number> {
  const { store, watches } = bed;
  const until = bed.seen + watches * SETS_PER_ROUND;
  const start = performance.now();
  for (let n = 0; n < SETS_PER_ROUND; n++) {
    await store.set("k", "n", `${start} ${n}`);
  }
  while (bed.seen < until) await pause(0);
  return 1_000 * (performance.now() - start) / SETS_PER_ROUND;
}

// Figures.

/** An event that came before the writer heard of its commit came at once. */
function milliseconds(ns: bigint): number {
  return Math.max(0, Number(ns) / 1e6);
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

function median(numbers: readonly number[]): number {
  return quantile(numbers.toSorted((a, b) => a - b), 0.5);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function printTable(head: string[], rows: string[][]): void {
  const table = [head, head.map((_, i) => i === 0 ? "---" : "--:"), ...rows];
  console.log(table.map((row) => `| ${row.join(" | ")} |\n`).join(""));
}
