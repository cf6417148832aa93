/**
 * The delay of events from other processes, and the cost of idle watches, as
 * tables in Markdown. It takes minutes with little work, so it is a command of
 * its own:
 *
 *     deno run -A bench/watch.ts [--quick] [--driver=builtin|ffi]
 *
 * @module
 */
import { openStore, type StoreOptions } from "../mod.ts";
import { quantile } from "simple-statistics";
import { deafen } from "../tests/support/faults/deaf.ts";
import { now, startProcess } from "./processes.ts";
import { table } from "./table.ts";

const quick = Deno.args.includes("--quick");
const driver = (Deno.args.find((arg) => arg.startsWith("--driver="))
  ?.slice("--driver=".length) ?? "builtin") as "builtin" | "ffi";

/** The number of timed commits. */
const COMMITS = quick ? 300 : 2_000;
/** How long idle processes are measured, in ms. */
const IDLE_MS = quick ? 5_000 : 20_000;
/** How many watches are many. */
const MANY = 100;

const dir = await Deno.makeTempDir({ prefix: "zestor-bench-" });
try {
  await timeEvents();
  await measureIdling();
} finally {
  await Deno.remove(dir, { recursive: true });
}

// From the commit to the event.

async function timeEvents(): Promise<void> {
  const { watchFs } = Deno;
  const rows: string[][] = [];
  const add = (name: string, latencies: number[]) => {
    const figures = quantile(latencies, [0.5, 0.99, 1]);
    rows.push([name, ...figures.map((n) => n.toFixed(3))]);
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
  const head = [`${COMMITS} commits → events, in ms`, "p50", "p99", "max"];
  console.log(table(head, rows));
}

async function timeOther(options: Partial<StoreOptions>): Promise<number[]> {
  const path = await Deno.makeTempFile({ dir, suffix: ".db" });
  const opening = { path, driver, ...options };
  await using store = await openStore(opening);
  const writer = startProcess({
    role: "write",
    pauses: somePauses(),
    ...opening,
  });
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

/** Pauses before commits, in ms: most are short, a tenth is idle, a few are long. */
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
    const peer = startProcess({
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
  console.log(
    "\n" + table(
      [`idle for ${IDLE_MS / 1_000} s`, "CPU, in ms", "CPU, in %", "wake-ups"],
      results.map(({ cpu, wakeUps }, i) => [
        `${counts[i]} watches`,
        cpu.toFixed(1),
        (100 * cpu / IDLE_MS).toFixed(3),
        `${wakeUps ?? "not known"}`,
      ]),
    ),
  );
}

/** An event that came before the writer's own result came at once. */
function milliseconds(ns: bigint): number {
  return Math.max(0, Number(ns) / 1e6);
}
