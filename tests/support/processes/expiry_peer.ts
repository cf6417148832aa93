/**
 * The programs of peers whose entries expire, see `peer.ts`.
 *
 * @module
 */
import { openStore, type SqliteStore, type WatchEvent } from "../../../mod.ts";
import { heard, runProgram, tell } from "./peer_side.ts";
import { Random } from "../random.ts";
import type { StoreFile } from "./places.ts";

/** Longer than a test runs, in ms. */
const FOREVER = 100_000_000;

/** A change, as peers tell it. */
export type ToldChange = [revision: number, change: string];

/** A change in short, such as `expire k/a@1`. */
export function toldExpiry(
  { type, kind, key, version }: WatchEvent,
  expired: boolean,
): string {
  return `${expired ? "expire" : type} ${kind}/${key}@${version}`;
}

function open(file: StoreFile): Promise<SqliteStore> {
  return openStore({
    durability: "normal",
    busyTimeout: 60_000,
    history: 1_000_000,
    ...file,
  });
}

/** What a peer tells when it writes no more. */
export const STOPPED: ToldChange = [0, "stopped"];

/** What a peer writes, and from where on it watches. */
export interface ExpireArgs extends StoreFile {
  /** No other process has this name. */
  writer: string;
  after: number;
}

/**
 * Writes entries that soon expire, until it is told to stop, and tells of each
 * change of anybody, until it is killed.
 */
async function expireUntilKilled(
  { writer, after, ...file }: ExpireArgs,
): Promise<void> {
  const store = await open(file);
  const follow = async () => {
    for await (const event of store.watch("k", { after })) {
      const expired = event.type === "delete" && event.expired === true;
      tell([event.revision, toldExpiry(event, expired)] satisfies ToldChange);
    }
  };
  follow();
  let isStopped = false;
  heard().then(() => isStopped = true);
  const random = new Random(writer);
  for (let n = 0; !isStopped; n++) {
    const writes = Array.from(
      { length: random.between(1, 5) },
      (_, i) =>
        store.set("k", `${writer}/${n}/${i}`, n, {
          expireIn: random.between(1, 30),
        }),
    );
    await Promise.all(writes);
    // So that an event loop's turn passes.
    await new Promise((resolve) => setTimeout(resolve, random.below(5)));
  }
  tell(STOPPED);
}

/** What a script does before it has nothing else to do. */
export interface ScriptArgs extends StoreFile {
  /** The entries that it sets, with their expiries in ms. */
  entries: Readonly<Record<string, number>>;
  /** Whether it waits until one has been removed. */
  awaits?: string;
}

/** Sets entries, and leaves its store open. */
async function setAndLeave(
  { entries, awaits, ...file }: ScriptArgs,
): Promise<void> {
  const store = await open(file);
  const events = store.watch("k", { types: ["delete"] });
  for (const [key, expireIn] of Object.entries(entries)) {
    await store.set("k", key, 1, { expireIn });
  }
  if (awaits === undefined) return;
  for await (const { key } of events) if (key === awaits) break;
}

/** Opens a store, and has nothing more to do once it is told so. */
async function openAndLeave(file: StoreFile): Promise<void> {
  await openStore({ ...file, busyTimeout: FOREVER });
  tell("open");
  await heard();
  // Its timer fires several times while it could still exit.
  await new Promise((resolve) => setTimeout(resolve, 100));
}

/** What a process sees of a store that it only reads. */
export interface Seen {
  get: unknown;
  keys: string[];
  count: number;
  list: [string, unknown][];
  kinds: string[];
}

/** Reads until an entry is gone, and tells what it sees then; then tells of deletions. */
async function readOnly(
  { key, ...file }: StoreFile & { key: string },
): Promise<void> {
  const path = `file:${file.path}?mode=ro`;
  await using store = await open({ ...file, path });
  const events = store.watch("k", { types: ["delete"] });
  tell("open");
  while (await store.has("k", key)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  tell(
    {
      get: await store.get("k", key) ?? null,
      keys: await store.keys("k"),
      count: await store.count("k"),
      list: [...await store.list("k")],
      kinds: await store.kinds(),
    } satisfies Seen,
  );
  for await (const event of events) {
    const expired = event.type === "delete" && event.expired === true;
    tell([event.revision, toldExpiry(event, expired)] satisfies ToldChange);
  }
}

const programs = { expireUntilKilled, setAndLeave, openAndLeave, readOnly };

/** The programs by name. */
export type ExpiryPrograms = typeof programs;

if (import.meta.main) await runProgram(programs);
