/**
 * Copies of stores that go on until they are stopped, and what became of them.
 *
 * @module
 */
import type { Store, WatchEvent } from "../../mod.ts";
import type { CopyResult } from "../../src/cli/copying/copy_entries.ts";
import {
  followStore,
  type StoreFollow,
} from "../../src/cli/copying/copy_store.ts";
import { PLACE_KIND } from "../../src/cli/copying/place.ts";
import { exactJson } from "../../src/values/codecs/exact_json.ts";
import type { Random } from "./random.ts";

/** A copy that follows. */
export interface RunningFollow extends AsyncDisposable {
  /** Resolves when changes begin to be followed, with what was copied before. */
  readonly following: Promise<CopyResult | undefined>;
  /** Resolves when it has ended, and rejects if it failed. */
  readonly ended: Promise<void>;
  /** What it told: why entries were copied again. */
  readonly told: string[];
  /** Ends it. */
  stop(): Promise<void>;
}

/** Starts to follow. */
export function startFollow(
  source: Store,
  target: Store,
  options: Partial<StoreFollow> = {},
): RunningFollow {
  const controller = new AbortController();
  const following = Promise.withResolvers<CopyResult | undefined>();
  const told: string[] = [];
  const ended = followStore(source, target, {
    extra: "refuse",
    codec: exactJson,
    ...options,
    signal: controller.signal,
    onFollowing: (copied) => following.resolve(copied),
    onCopyAgain: ({ message }) => void told.push(message),
  });
  ended.then(() => following.resolve(undefined), following.reject);
  following.promise.catch(() => {});
  const stop = async () => {
    controller.abort();
    await ended;
  };
  return {
    following: following.promise,
    ended,
    told,
    stop,
    async [Symbol.asyncDispose]() {
      await stop().catch(() => {});
    },
  };
}

/** What a test compares of an event. */
export interface SeenEvent {
  readonly type: string;
  readonly name: string;
  readonly value: unknown;
  readonly version: number;
  readonly expiresAt?: number;
}

/** The events of a store after a revision, up to the one that creates an entry of the kind "end". */
export async function eventsUntil(
  store: Store,
  after: number,
  end: string,
): Promise<SeenEvent[]> {
  const seen: SeenEvent[] = [];
  for await (const event of store.watchAll({ after })) {
    if (event.kind === PLACE_KIND) continue;
    if (event.kind === "end" && event.key === end) return seen;
    seen.push(seenOf(event));
  }
  throw new Error("The watch has ended");
}

function seenOf(event: WatchEvent): SeenEvent {
  const { type, kind, key, value, version } = event;
  const expiresAt = type === "delete" ? undefined : event.expiresAt;
  return {
    type,
    name: `${kind}/${key}`,
    value,
    version,
    ...expiresAt ? { expiresAt: expiresAt.getTime() } : {},
  };
}

/** The newest revision of a store. */
export async function newestOf(store: Store): Promise<number> {
  await using snapshot = await store.snapshot();
  return snapshot.revision;
}

/** Resolves when an entry of the kind "end" is there. */
export async function untilEnd(store: Store, end: string): Promise<void> {
  for await (const { key } of store.watch("end", { initial: true })) {
    if (key === end) return;
  }
}

/** The export of a store, without the places of copies. */
export async function linesOfStore(
  store: Store,
  options: { times?: boolean } = {},
): Promise<string[]> {
  const text = await new Response(store.export(options)).text();
  return text.split("\n").filter((line) =>
    line !== "" && !line.startsWith(`{"kind":"${PLACE_KIND}"`)
  );
}

/** Changes entries of the kinds "a" and "b" at random; nothing expires soon. */
export async function changeAtRandom(
  store: Store,
  random: Random,
): Promise<void> {
  const kind = random.pick(["a", "b"]);
  const key = `${random.below(20)}`;
  const value = { n: random.below(5) };
  switch (random.below(8)) {
    case 0:
      return void await store.delete(kind, key);
    case 1:
      return void await store.deleteAll(kind, { prefix: "1" });
    case 2:
      return void await store.set(kind, key, value, {
        expireIn: random.between(1e7, 2e7),
      });
    case 3:
      return void await store.atomic()
        .set("a", key, value)
        .delete("b", key)
        .set("b", `${key}x`, value)
        .set("a", key, { again: value })
        .commit();
    case 4: {
      const version = random.between(2, 9);
      const line = JSON.stringify({ kind, key, value, version });
      return void await store.import(ReadableStream.from([`${line}\n`]));
    }
    default:
      return void await store.set(kind, key, value);
  }
}
