/**
 * Helpers that read streams and wait. They await events that must come, and
 * never sleep. To show that no event came, a test makes a later write, whose
 * event must be the next.
 *
 * @module
 */
import {
  assertEquals,
  assertGreater,
  assertRejects,
  assertStrictEquals,
  fail,
} from "@std/assert";
import { setImmediate } from "node:timers";
import type { Store, WatchBookmark, WatchEvent } from "../contract/mod.ts";
import type { Manifest } from "./supports.ts";

/** A stream's reader. */
export type Reader<T> = ReadableStreamDefaultReader<T>;

/** The end of a stream, and the items before. */
export interface Ending<T> {
  chunks: T[];
  /** The stream's error; `undefined` if it closed. */
  error: unknown;
}

/** Reads the next chunk. */
export async function next<T>(reader: Reader<T>): Promise<T> {
  const { done, value } = await reader.read();
  if (done) fail("Cannot read the next chunk: the stream has ended");
  return value;
}

/** Reads the next `count` chunks, and leaves the stream open. */
export async function take<T>(reader: Reader<T>, count: number): Promise<T[]> {
  const chunks: T[] = [];
  while (chunks.length < count) chunks.push(await next(reader));
  return chunks;
}

/** Reads to the end of the stream. */
export async function drain<T>(reader: Reader<T>): Promise<Ending<T>> {
  const chunks: T[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { chunks, error: undefined };
      chunks.push(value);
    }
  } catch (error) {
    return { chunks, error };
  }
}

/** The text of a stream of bytes. */
export function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

/** The objects of a stream of NDJSON. */
export async function linesOf(
  stream: ReadableStream<Uint8Array>,
): Promise<Record<string, unknown>[]> {
  const lines = (await textOf(stream)).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

/** Reads events up to the one with a key, which is the last of those returned. */
export async function takeUntil(
  reader: Reader<WatchEvent>,
  key: string,
): Promise<WatchEvent[]> {
  const events = [await next(reader)];
  while (events[events.length - 1].key !== key) events.push(await next(reader));
  return events;
}

/** Asserts that the stream has closed without an error. */
export async function assertEnded(reader: Reader<unknown>): Promise<void> {
  assertEquals(await reader.read(), { done: true, value: undefined });
  await reader.closed;
}

/** Asserts that a call rejects with exactly this object. */
export async function assertRejectsWith(
  call: () => Promise<unknown>,
  reason: unknown,
  what: string,
): Promise<void> {
  assertStrictEquals(await assertRejects(call, what), reason, what);
}

/** Asserts that `verify` finds nothing, if the store supports it. */
export async function assertSound(
  store: Store,
  { verify }: Manifest,
  what?: string,
): Promise<void> {
  if (verify) assertEquals(await store.verify(), [], what);
}

/** Events in short: `"create alice@1"`, with the version last. */
export function brief(
  events: readonly (WatchEvent | WatchBookmark)[],
): string[] {
  return events.map((event) =>
    event.type === "bookmark"
      ? "bookmark"
      : `${event.type} ${event.key}@${event.version}`
  );
}

/** Events in short, with their kinds: `"create users/alice@1"`. */
export function named(
  items: readonly (WatchEvent | WatchBookmark)[],
): string[] {
  return items.map((item) =>
    item.type === "bookmark"
      ? "bookmark"
      : `${item.type} ${item.kind}/${item.key}@${item.version}`
  );
}

/**
 * Events and bookmarks without their cursors, which only the store knows.
 * Asserts that they have cursors.
 */
export function withoutCursors(
  items: readonly (WatchEvent | WatchBookmark)[],
): unknown[] {
  return items.map(({ cursor, ...rest }) => {
    assertEquals(typeof cursor, "string");
    return rest;
  });
}

/** The same for one item. */
export function withoutCursor(item: WatchEvent | WatchBookmark): unknown {
  return withoutCursors([item])[0];
}

/** The keys of entries or events, in their order. */
export function keysOf(items: readonly { key: string }[]): string[] {
  return items.map(({ key }) => key);
}

/** The revisions of events, in their order. */
export function revisionsOf(
  events: readonly { revision: number }[],
): number[] {
  return events.map(({ revision }) => revision);
}

/** `count` keys in order: `"000000"`, `"000001"` and so on. */
export function numberedKeys(count: number): string[] {
  return Array.from({ length: count }, (_, i) => numberedKey(i));
}

/** A key whose place in key order is that of its number. */
export function numberedKey(number: number): string {
  return String(number).padStart(6, "0");
}

/** Writes an entry for each key. The value contains the key. */
export async function fill(
  store: Store,
  kind: string,
  keys: readonly string[],
): Promise<void> {
  await store.setAll(kind, keys.map((key) => [key, { of: key }] as const));
}

/**
 * Many writers write to several kinds at once. The last change of each kind has
 * the key "end". Returns the revisions of all changes, in order.
 */
export async function makeTraffic(
  store: Store,
  kinds: readonly string[],
  rounds = 20,
): Promise<number[]> {
  const written: number[] = [];
  const write = async (kind: string, who: number) => {
    for (let n = 0; n < rounds; n++) {
      const key = `${who}/${n % 3}`;
      written.push((await store.set(kind, key, n)).revision);
      if (n % 4 === 3) {
        const deleted = await store.delete(kind, key);
        written.push(deleted!.deleteRevision);
      }
    }
  };
  await Promise.all(
    kinds.flatMap((kind) => [0, 1, 2].map((who) => write(kind, who))),
  );
  for (const kind of kinds) {
    written.push((await store.set(kind, "end", 1)).revision);
  }
  return written.toSorted((a, b) => a - b);
}

/** Lets the event loop make a turn: timers and I/O run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Runs long work, and asserts that the event loop turned meanwhile. It counts
 * turns, and measures no time: work that blocks the loop lets it turn once
 * before and once after. The work must be long on a fast machine, too: 50 ms.
 */
export async function assertLoopTurns(
  run: () => Promise<unknown>,
): Promise<void> {
  let turns = 0;
  let running = true;
  const count = () => {
    turns++;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  try {
    await run();
  } finally {
    running = false;
  }
  assertGreater(turns, 2, "turns of the event loop");
}

/** Writes an entry for each key, a hundred at a time. */
export async function writeInRounds(
  store: Store,
  kind: string,
  keys: readonly string[],
  value: unknown = 1,
): Promise<void> {
  for (let at = 0; at < keys.length; at += 100) {
    const round = keys.slice(at, at + 100);
    await Promise.all(round.map((key) => store.set(kind, key, value)));
  }
}
