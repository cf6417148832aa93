/**
 * The other processes of the benchmark: this file, run in a role.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { cpuUsage } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { openStore, type Store, type StoreOptions } from "../mod.ts";
import { openPostgresStore } from "../src/postgres/open_postgres_store.ts";
import { denoRun } from "../tests/support/processes/deno_run.ts";
import { keyOf, SMALL, STRIDE } from "./values.ts";

/** Writes `n` to the kind `k`, after each of the pauses (ms). */
export interface WriteTask extends StoreOptions {
  role: "write";
  pauses: number[];
}

/** The same, on PostgreSQL. */
export interface PostgresWriteTask {
  role: "writePostgres";
  url: string;
  schema: string;
  pauses: number[];
}

/** The time at which each write had resolved, in ns since the epoch. */
export type Written = string[];

/** Watches an idle kind, with this many watches. */
export interface IdleTask extends StoreOptions {
  role: "idle";
  watches: number;
  /** In ms. */
  duration: number;
}

/** The resources that an idle process used. */
export interface Idle {
  /** CPU time, in ms. */
  cpu: number;
  /** How often its main thread woke up. Absent if it is unknown. */
  wakeUps?: number;
}

/** Works on a store, and reports its memory. */
export interface MemoryTask extends StoreOptions {
  role: "memory";
  /** The kind to read and write. */
  kind: string;
  /** The number of entries in the kind. */
  count: number;
  /** The number of concurrent writers. */
  callers: number;
  /** The number of watches of the kind. */
  watchers: number;
}

/** Memory at the end. */
export interface Memory {
  /** The process's resident set, in bytes. */
  rss: number;
}

/** Another process. */
export interface Process<Result> {
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

type Task = WriteTask | PostgresWriteTask | IdleTask | MemoryTask;

/** Starts another process. */
export function startProcess(
  task: WriteTask | PostgresWriteTask,
): Process<Written>;
/** Starts another process. */
export function startProcess(task: IdleTask): Process<Idle>;
/** Starts another process. */
export function startProcess(task: MemoryTask): Process<Memory>;
export function startProcess(task: Task): Process<unknown> {
  const child = denoRun(new URL(import.meta.url), {
    flags: ["--allow-all", "--no-check", "--v8-flags=--expose-gc"],
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
  return await writeTo(store, pauses);
}

async function writePostgres(
  { role: _, pauses, ...options }: PostgresWriteTask,
): Promise<Written> {
  await using store = await openPostgresStore(options);
  return await writeTo(store, pauses);
}

async function writeTo(store: Store, pauses: number[]): Promise<Written> {
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
  // By then, the work after the opening is done.
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

/** The number of written values, and of read ones. */
const OPERATIONS = 500;

async function memory(
  { role: _, kind, count, callers, watchers, ...options }: MemoryTask,
): Promise<Memory> {
  await using store = await openStore(options);
  await untilTold();
  // Entries of another process must change, too.
  const name = crypto.randomUUID();
  const readers = Array.from(
    { length: watchers },
    () => store.watch(kind).getReader(),
  );
  for (let n = 0; n < OPERATIONS; n += callers) {
    const keys = Array.from(
      { length: callers },
      (_, i) => keyOf((n + i) * STRIDE % count),
    );
    await Promise.all(
      keys.map((key, i) => store.set(kind, key, { ...SMALL.of(n + i), name })),
    );
    await Promise.all(keys.map((key) => store.get(kind, key)));
    await Promise.all(readers.map((reader) => reader.read()));
  }
  (globalThis as { gc?: () => void }).gc?.();
  return { rss: Deno.memoryUsage().rss };
}

if (import.meta.main) {
  const task: Task = JSON.parse(Deno.args[0]);
  const result = await (task.role === "write"
    ? write(task)
    : task.role === "writePostgres"
    ? writePostgres(task)
    : task.role === "idle"
    ? idle(task)
    : memory(task));
  console.log(JSON.stringify(result));
}
