/**
 * The programs of peers that use this package, see `peer.ts`.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { openStore, type Store } from "../../../mod.ts";
import type { Durability, WatchOptions } from "../../../mod.ts";
import { loadDriver } from "../../../src/sqlite/driver/load.ts";
import { Account } from "./account.ts";
import type { TestDriver } from "../drivers.ts";
import { STORE_STORY } from "./foreign_writes.ts";
import { type Outcome, perform, type Value } from "../model/operations.ts";
import { ownWrite, randomWrite } from "../model/random_operations.ts";
import { heard, runProgram, tell } from "./peer_side.ts";
import { openPlace, type StoreFile, type StorePlace } from "./places.ts";
import { Random } from "../random.ts";
import { toldWithRevision } from "../watches/telling.ts";
import { timeTicks } from "../ticks.ts";
import { toItem, type WatchedOptions } from "../watches/watch_validators.ts";

/** A watch in a peer. */
export interface PeerWatch {
  kind: string;
  options?: WatchedOptions;
}

function open(place: StorePlace): Promise<Store> {
  return openPlace({ ...place, durability: "normal", busyTimeout: 60_000 });
}

/** Does the steps of the store's story that it hears of, and answers each. */
async function tellStory(file: StoreFile): Promise<void> {
  await using store = await open(file);
  tell("ready");
  for (;;) {
    const step = await heard<string>();
    if (step === undefined) return;
    await STORE_STORY[step][0](store);
    tell("done");
  }
}

/** A watch that is told of: it may resume after a cursor, too. */
export interface ToldWatch {
  kind: string;
  options?: Omit<WatchOptions, "signal">;
}

/** Tells what a watch emits; an error by its name. */
async function tellWatch(
  { kind, options, ...file }: StoreFile & ToldWatch,
): Promise<void> {
  await using store = await open(file);
  const items = store.watch(kind, options);
  tell("ready");
  try {
    for await (const item of items) tell(toldWithRevision(item));
  } catch (error) {
    tell((error as Error).name);
  }
}

// Until killed, see `crash.ts`.

/** What a writer does until it is killed. */
export type WriteUntilKilledArgs = StorePlace & {
  durability: Durability;
  writer: string;
  seed: string;
  /** How many writes may be under way at once. */
  callers: number;
};

/** What came of a writer's n-th write. */
export type Acknowledgement = [n: number, outcome: Outcome];

/** Writes, and tells what came of each write. */
async function writeUntilKilled(
  { writer, seed, callers, ...place }: WriteUntilKilledArgs,
): Promise<void> {
  const store = await openPlace<Record<string, Value>>({
    ...place,
    busyTimeout: 60_000,
  });
  const random = new Random(seed);
  const running = new Set<Promise<void>>();
  for (let n = 0;; n++) {
    const write = perform(store, ownWrite(randomWrite(random, n), writer));
    const acknowledged = write.then((outcome) => {
      running.delete(acknowledged);
      tell([n, outcome] satisfies Acknowledgement);
    });
    running.add(acknowledged);
    while (running.size >= callers) await Promise.race(running);
  }
}

/** Watches a kind, and tells what the watch emits. */
async function followUntilKilled(
  { kind, options, ...place }: StorePlace & PeerWatch,
): Promise<void> {
  const store = await open(place);
  for await (const item of store.watch(kind, options)) tell(toItem(item));
}

// A crowd, see `crowd.ts`.

/** What a watcher of a crowd is to record, and to which file. */
export type RecordArgs = StorePlace & {
  watches: PeerWatch[];
  record: string;
  /** Stop a watch after so many events. @default {at the key "end"} */
  count?: number;
};

/** What a watch of a crowd emitted. */
export interface WatchRecord extends PeerWatch {
  items: ReturnType<typeof toItem>[];
}

/** Records what watches emit. */
async function recordWatches(
  { watches, record, count = Infinity, ...place }: RecordArgs,
): Promise<void> {
  await using store = await open(place);
  const streams = watches.map(({ kind, options }) =>
    store.watch(kind, options)
  );
  tell("ready");
  const records = watches.map(async (watch, i): Promise<WatchRecord> => {
    const items: WatchRecord["items"] = [];
    for await (const item of streams[i]) {
      items.push(toItem(item));
      const isEnd = item.type !== "bookmark" && item.key === "end";
      if (isEnd || items.length >= count) break;
    }
    return { ...watch, items };
  });
  await Deno.writeTextFile(record, JSON.stringify(await Promise.all(records)));
  tell("done");
}

/** What a writer of a crowd is to do, and to which file it accounts for it. */
export interface CrowdWriterArgs {
  path: string;
  writer: string;
  changes: number;
  account: string;
}

/** Writes many changes by every operation, some of which fail. */
async function writeMuch(
  { writer, changes, account: accountFile, ...file }:
    & StoreFile
    & CrowdWriterArgs,
): Promise<void> {
  await using store = await open(file);
  const account = new Account(writer);
  for (let round = 0; account.length < changes; round++) {
    await Promise.all(writeRound(store, account, round));
  }
  await Deno.writeTextFile(accountFile, JSON.stringify(account.changes));
  tell("done");
}

function writeRound(
  store: Store,
  account: Account,
  round: number,
): Promise<unknown>[] {
  const random = new Random(`${account.writer}${round}`);
  const kind = round % 3 === 0 ? "jobs" : "users";
  const writes: Promise<unknown>[] = [];
  const noSuchWrite = { of: account.writer, failed: true };
  const refuse = () => {
    throw new Error("no");
  };

  for (let i = 0; i < 20; i++) {
    const key = account.ownKey(random.below(200));
    writes.push(store.set(kind, key, account.put(kind, key)));
  }
  for (let i = 0; i < 8; i++) {
    const key = `shared/${random.below(10)}`;
    const value = account.nextValue();
    const change = account.reserve();
    const write = i % 2 === 0
      ? store.set(kind, key, value)
      : store.update(kind, key, () => value, { initial: value });
    writes.push(write.then((result) => change(kind, key, value, result)));
  }
  writes.push(store.update(kind, "shared/0", refuse).catch(() => {}));

  const start = random.below(150);
  const keys = Array.from({ length: 50 }, (_, i) => account.ownKey(start + i));
  const entries = keys.map((key) => [key, account.put(kind, key)] as const);
  writes.push(store.setAll(kind, entries));

  for (let i = 0; i < 6; i++) {
    const key = account.ownKey(random.below(200));
    account.remove(kind, key);
    writes.push(store.delete(kind, key));
  }

  const [a, b, c] = keys;
  const version = account.versionOf(kind, a);
  const refused = store.atomic().check({ kind, key: a, version: version + 1 })
    .set(kind, a, noSuchWrite).delete("users", b);
  writes.push(refused.commit());
  const atomic = store.atomic().check({ kind, key: a, version });
  atomic.set(kind, a, account.put(kind, a));
  atomic.set("users", b, account.put("users", b));
  atomic.set("jobs", b, account.put("jobs", b));
  account.remove(kind, c);
  writes.push(atomic.delete(kind, c).commit());

  if (round % 10 === 0) {
    const key = account.ownKey(0);
    writes.push(store.set("rare", key, account.put("rare", key)));
  }
  return writes;
}

// Contention.

/** What a peer counts, and how. */
export interface CountArgs extends StoreFile {
  durability: Durability;
  increments: number;
  /** How many updates it calls at once, in turn. */
  groups: readonly number[];
}

/** What became of the counting. */
export interface Counted {
  values: number[];
  /** Of an update, in ms. */
  longestWait: number;
}

/** Increments a counter, once it is told to. */
async function count(
  { increments, groups, ...options }: CountArgs,
): Promise<void> {
  // Under load a process may wait for the lock for seconds.
  const opening = { busyTimeout: 60_000, ...options };
  await using store = await openStore<{ k: number }>(opening);
  tell("ready");
  await heard();
  const counted: Counted = { values: [], longestWait: 0 };
  const { values } = counted;
  const increment = async () => {
    const start = performance.now();
    const { value } = await store.update("k", "n", (n) => n + 1);
    const took = performance.now() - start;
    counted.longestWait = Math.max(counted.longestWait, took);
    values.push(value);
  };
  for (let i = 0; values.length < increments; i++) {
    const left = increments - values.length;
    const size = Math.min(groups[i % groups.length], left);
    await Promise.all(Array.from({ length: size }, increment));
  }
  tell(counted);
}

/** Writes pairs of entries, both of a pair the same, until it is told to stop; tells how many. */
async function writePairs(
  { kind, ...file }: StoreFile & { kind: string },
): Promise<void> {
  await using store = await open(file);
  let isStopped = false;
  const stopping = heard().then(() => isStopped = true);
  let n = 0;
  while (!isStopped) {
    n++;
    await store.atomic().set(kind, "a", n).set(kind, "b", n).commit();
    if (n === 1) tell("writing");
  }
  await stopping;
  tell(n);
}

/** What is written steadily. */
export interface SteadyWrites {
  kind: string;
  /** How many entries there are. */
  entries: number;
  /** How many of them are written in a second. */
  rate: number;
  seconds: number;
}

/** A value that is written steadily, and when. */
export interface SteadyValue {
  n: number;
  name: string;
  /** In ms since 1970. */
  at: number;
}

/**
 * Fills a kind. When it is told to, it writes at a steady rate, by plain SQL: the
 * store's own writes take twice the time. Reports the number of changes.
 */
async function writeSteadily(
  { kind, entries, rate, seconds, ...file }: StoreFile & SteadyWrites,
): Promise<void> {
  await using store = await open(file);
  const driver = await loadDriver(file.driver);
  const connection = driver.open({ path: file.path, mode: "rw" });
  connection.exec("PRAGMA synchronous = NORMAL");
  const replace = connection.prepare(
    "UPDATE zestor_kv SET value = ? WHERE kind = ? AND key = ?",
  );
  const pair = (n: number): [string, SteadyValue] => [
    String(n * 7_919 % entries).padStart(8, "0"),
    { n, name: "x".repeat(40), at: Date.now() },
  ];
  let n = 0;
  while (n < entries) {
    const length = Math.min(10_000, entries - n);
    await store.setAll(kind, Array.from({ length }, () => pair(n++)));
  }
  tell("filled");
  await heard();
  const start = performance.now();
  const end = n + rate * seconds;
  while (n < end) {
    const due = (performance.now() - start) / 1_000 * rate;
    const length = Math.min(Math.floor(entries + due) - n, end - n, 10_000);
    connection.exec("BEGIN IMMEDIATE");
    for (let i = 0; i < length; i++) {
      const [key, value] = pair(n++);
      replace.run(JSON.stringify(value), kind, key);
    }
    connection.exec("COMMIT");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  connection.close();
  tell({ changes: n - entries, ms: performance.now() - start });
}

/** A lock on a file. */
export interface Lock {
  readonly path: string;
  readonly lock: "IMMEDIATE" | "EXCLUSIVE";
}

/** Holds locks until it is told to let go; tells how late a timer was meanwhile. */
async function hold(
  { driver, locks }: {
    driver: TestDriver["name"];
    locks: readonly Lock[];
  },
): Promise<void> {
  const { open } = await loadDriver(driver);
  const connections = locks.map(({ path, lock }) => {
    const connection = open({ path, mode: "rwc" });
    connection.exec(`BEGIN ${lock}`);
    return connection;
  });
  tell("locked");
  const ticks = timeTicks();
  await heard();
  const { latest } = ticks.stop();
  for (const connection of connections) {
    // A commit could meet a reader.
    connection.exec("ROLLBACK");
    connection.close();
  }
  tell(latest);
}

// How a watch keeps its process running. The store stays open, but where it
// is to be closed.

/** Which read of a watch is left pending when the program has nothing else to do. */
export type PendingRead = StorePlace & {
  persistent?: boolean;
};

/** Reads one event, without waiting for it. */
async function readOne(
  { persistent, ...place }: PendingRead,
): Promise<void> {
  const store = await open(place);
  const events = store.watch("k", { persistent }).getReader();
  events.read().then(({ value }) => tell(value!.key));
  tell("reading");
}

/** Reads events for as long as it hears something. */
async function readWhileHearing(
  { persistent, ...place }: PendingRead,
): Promise<void> {
  const store = await open(place);
  const follow = async () => {
    for await (const event of store.watch("k", { persistent })) {
      tell(event.key);
    }
  };
  follow();
  tell("reading");
  await heard();
}

/** How a watch that is being read ends. */
export type WatchEnd = "cancel" | "abort" | "close" | "leave";

/** Ends a watch that is being read, once the read waits for others' writes. */
async function endRead(
  { end, ...place }: StorePlace & { end: WatchEnd },
): Promise<void> {
  const store = await open(place);
  const controller = new AbortController();
  const { signal } = controller;
  if (end === "leave") {
    for await (const event of store.watch("k", { initial: true })) {
      return tell(event.key);
    }
  }
  const events = store.watch("k", { signal }).getReader();
  events.read().then(({ done }) => tell(done));
  tell("reading");
  for (let turns = 0; turns < 10; turns++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  if (end === "cancel") await events.cancel();
  else if (end === "abort") controller.abort();
  else await store.close();
}

/** Watches, and does not read. */
async function watchUnread(place: StorePlace): Promise<void> {
  const store = await open(place);
  store.watch("k", { initial: true });
  tell("watching");
}

const programs = {
  tellStory,
  tellWatch,
  writeUntilKilled,
  followUntilKilled,
  recordWatches,
  writeMuch,
  count,
  writePairs,
  writeSteadily,
  hold,
  readOne,
  readWhileHearing,
  endRead,
  watchUnread,
};

/** The programs by name. */
export type StorePrograms = typeof programs;

if (import.meta.main) await runProgram(programs);
