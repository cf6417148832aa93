/**
 * The other processes of the benchmark: this file, run in a role.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { cpuUsage } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { openStore, type StoreOptions } from "../mod.ts";
import { denoRun } from "../tests/support/processes/deno_run.ts";

/** Writes `n` to the kind `k`, after each of the pauses (ms). */
export interface WriteTask extends StoreOptions {
  role: "write";
  pauses: number[];
}

/** When each of the writes had resolved, in ns since the epoch. */
export type Written = string[];

/** Watches a kind where nothing happens, with so many watches. */
export interface IdleTask extends StoreOptions {
  role: "idle";
  watches: number;
  /** In ms. */
  duration: number;
}

/** What an idle process used. */
export interface Idle {
  /** CPU time, in ms. */
  cpu: number;
  /** How often its main thread woke up; absent where that is not known. */
  wakeUps?: number;
}

/** Another process. */
export interface Peer<Result> {
  /** Resolves when its store is open. */
  ready: Promise<void>;
  /** Lets it begin. */
  begin(): Promise<void>;
  result: Promise<Result>;
}

/** The time, in ns since the epoch: the same clock in every process. */
export function now(): bigint {
  return Temporal.Now.instant().epochNanoseconds;
}

/** Starts another process. */
export function startPeer(task: WriteTask): Peer<Written>;
/** Starts another process. */
export function startPeer(task: IdleTask): Peer<Idle>;
export function startPeer(task: WriteTask | IdleTask): Peer<unknown> {
  const child = denoRun(new URL(import.meta.url), {
    flags: ["--allow-all", "--no-check"],
    args: [JSON.stringify(task)],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream());
  const ready = Promise.withResolvers<void>();
  const read = async () => {
    let text = "";
    for await (const part of output) {
      text += part;
      ready.resolve();
    }
    const { code } = await child.status;
    if (code !== 0) throw new Error(`The other process ended with ${code}`);
    return JSON.parse(text.slice(text.indexOf("\n")));
  };
  return {
    ready: ready.promise,
    begin: () => child.stdin.close(),
    result: read(),
  };
}

async function untilTold(): Promise<void> {
  console.log("open");
  for await (const _ of Deno.stdin.readable);
}

async function write(
  { role: _, pauses, ...options }: WriteTask,
): Promise<Written> {
  await using store = await openStore(options);
  await untilTold();
  const written: Written = [];
  for (let n = 0; n < pauses.length; n++) {
    if (pauses[n] > 0) await delay(pauses[n]);
    await store.set("k", "n", n);
    written.push(String(now()));
  }
  return written;
}

async function idle(
  { role: _, watches, duration, ...options }: IdleTask,
): Promise<Idle> {
  await using store = await openStore(options);
  for (let i = 0; i < watches; i++) store.watch("quiet").getReader().read();
  await untilTold();
  // What follows the opening is over by then.
  await delay(2_000);
  const cpu = cpuUsage();
  const wakeUps = await countWakeUps();
  await delay(duration);
  const { user, system } = cpuUsage(cpu);
  return {
    cpu: (user + system) / 1_000,
    wakeUps: wakeUps === undefined
      ? undefined
      : (await countWakeUps())! - wakeUps,
  };
}

async function countWakeUps(): Promise<number | undefined> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const count = /^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1];
  return count === undefined ? undefined : Number(count);
}

if (import.meta.main) {
  const task: WriteTask | IdleTask = JSON.parse(Deno.args[0]);
  const result = task.role === "write" ? await write(task) : await idle(task);
  console.log(JSON.stringify(result));
}
