/**
 * The programs of peers that show what keeps a process running, see `peer.ts`.
 * None closes its store.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { heard, runProgram, tell } from "./peer_side.ts";
import { openPlace, type StorePlace, type StoreSchema } from "./places.ts";
import { openPostgresStore } from "../../../src/postgres/open_postgres_store.ts";
import { until } from "../postgres/until.ts";

/** Writes and reads, and then does nothing once it has heard something. */
async function idle(place: StorePlace): Promise<void> {
  const store = await openPlace(place);
  await store.set("k", "a", 1, { expireIn: 3_600_000 });
  await store.get("k", "a");
  tell("idle");
  await heard();
}

/** Leaves a watch that waits, and does nothing once it has heard something. */
async function leaveWatch(
  { persistent, ...place }: StoreSchema & { persistent: boolean },
): Promise<void> {
  const store = await openPostgresStore(place);
  const events = store.watch("k", { persistent }).getReader();
  events.read().then(({ value }) => tell(value!.key));
  await until("it listens", async () => (await store.info()).isNotified);
  tell("waiting");
  await heard();
}

/**
 * Reads a watch on once it has heard something; it tells one change, and more are
 * there. Then it ends the watch, or does nothing.
 */
async function readOn(
  { persistent, isAborted, ...place }: StorePlace & {
    persistent: boolean;
    isAborted: boolean;
  },
): Promise<void> {
  const store = await openPlace(place);
  for (const key of ["a", "b", "c"]) await store.set("k", key, 1);
  const controller = new AbortController();
  const { signal } = controller;
  const options = { after: 0, bufferSize: 1, persistent, signal };
  const events = store.watch("k", options).getReader();
  tell((await events.read()).value!.key);
  await heard();
  events.read();
  // Now it asks the server.
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (isAborted) controller.abort();
}

/** Leaves a mirror that follows the store, or has ended, and does nothing more. */
async function leaveMirror(
  { persistent, end, ...place }: StorePlace & {
    persistent: boolean;
    end: "close" | "abort" | undefined;
  },
): Promise<void> {
  const store = await openPlace(place);
  const controller = new AbortController();
  const { signal } = controller;
  const mirror = await store.mirror("k", { persistent, signal });
  const { revision } = await store.set("k", "a", 1);
  await mirror.reached(revision);
  tell(mirror.size);
  if (end === "abort") controller.abort();
  if (end === "close") await mirror.close();
}

/** Waits for a read or a write, and for nothing else. */
async function awaitOne(
  { what, ...place }: StorePlace & { what: "get" | "set" },
): Promise<void> {
  const store = await openPlace(place);
  tell("ready");
  await heard();
  const asked = what === "get"
    ? Promise.resolve(store.get("k", "a"))
    : store.set("k", "a", 2).then(({ version }) => version);
  tell("asking");
  tell(await asked);
}

const programs = { idle, leaveMirror, leaveWatch, readOn, awaitOne };

/** The programs by name. */
export type LifePrograms = typeof programs;

if (import.meta.main) await runProgram(programs);
