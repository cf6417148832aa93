/**
 * A server that is put back to an earlier state beneath what reads its log, as
 * by a failover to a replica that lags: it may have other changes at the same
 * revisions then. Whoever has seen one that is gone is told, and nobody sees
 * the changes of two histories.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  RevisionUnavailableError,
  WatchOverflowError,
  type WatchOverflowReason,
} from "../../mod.ts";
import { drain, keysOf, next, take, turn } from "../../src/testing/reading.ts";
import {
  openRemoteStore,
  type RemoteStore,
} from "../support/remote/open_remote_store.ts";
import { Random, withSeed } from "../support/random.ts";
import type { MaybePromise } from "../../src/base/promises.ts";
import type { DecidedChange } from "../../src/remote/batch_plan.ts";
import { Server } from "../support/remote/server.ts";

type Kinds = { a: number; b: number };

/** Runs a test on a store with ten changes, the last five of which the server may lose. */
async function withStore(
  test: (store: RemoteStore<Kinds>) => Promise<void>,
  options: { history?: number } = {},
): Promise<void> {
  await using store = await openRemoteStore<Kinds>({
    longest: 1,
    sweepInterval: 5,
    ...options,
  });
  await write(store, 1, 10);
  await test(store);
}

/** Makes the changes of these revisions, one each. */
async function write(
  store: RemoteStore<Kinds>,
  first: number,
  last: number,
): Promise<void> {
  for (let n = first; n <= last; n++) await store.set("a", `${n}`, n);
}

/** How the server goes on after it was put back to revision 5. */
const SEQUELS: [
  name: string,
  head: number,
  reason: WatchOverflowReason,
][] = [
  ["nothing new", 5, "ahead"],
  ["fewer changes", 8, "ahead"],
  ["as many changes", 10, "history"],
  ["more changes", 20, "history"],
];

/** Puts the server back, and makes other changes, in one step. */
function putBack({ server }: RemoteStore<Kinds>, head: number): void {
  server.putBack(5);
  const client = "other";
  const changes: DecidedChange[] = [];
  for (let n = 6; n <= head; n++) changes.push(otherChange(n));
  const writes = [{ checks: [], seen: [], changes, end: "done" }] as const;
  server.handle("hello", { client });
  const reply = server.handle("write", { client, batch: 1, writes });
  assert("ok" in reply && reply.ok);
  server.handle("bye", { client });
}

function otherChange(n: number): DecidedChange {
  const value = new TextEncoder().encode(JSON.stringify(n));
  return { kind: "a", key: `other ${n}`, next: { value } };
}

async function assertOverflows(
  reader: ReadableStreamDefaultReader<unknown>,
  reason: WatchOverflowReason,
): Promise<void> {
  const { chunks, error } = await drain(reader);
  assertEquals(chunks, []);
  assert(error instanceof WatchOverflowError, `${error}`);
  assertEquals(error.reason, reason);
}

/** Puts the server back when the store sends a request of a name for the n-th time. */
function onRequest(
  { line }: RemoteStore<Kinds>,
  wanted: string,
  count: number,
  work: () => MaybePromise<void>,
): void {
  const { request } = line;
  line.request = async (name, ask, signal) => {
    if (name === wanted && --count === 0) await work();
    return await request.call(line, name, ask, signal);
  };
}

for (const [name, head, reason] of SEQUELS) {
  Deno.test(`put back, ${name}: a watch that waits overflows as "${reason}"`, () =>
    withStore(async (store) => {
      const reader = store.watch("a", { after: 0 }).getReader();
      assertEquals((await take(reader, 10)).at(-1)!.revision, 10);
      store.line.deafen();
      const ending = assertOverflows(reader, reason);
      putBack(store, head);
      await ending;
    }));

  Deno.test(`put back, ${name}: a watch that heard only of other kinds overflows as "${reason}"`, () =>
    withStore(async (store) => {
      const watch = store.watch("b", { after: 0, bookmarks: true });
      const reader = watch.getReader();
      // It has seen everything up to there.
      assertEquals((await next(reader)).revision, 10);
      store.line.deafen();
      const ending = assertOverflows(reader, reason);
      putBack(store, head);
      await ending;
    }));

  Deno.test(`put back, ${name}: a watch that has read nothing overflows as "${reason}"`, () =>
    withStore(async (store) => {
      const watches: ReadableStream<unknown>[] = [
        store.watch("a"),
        store.watch("b"),
        store.watch("a", { initial: true }),
        store.watch("a", { initial: true, bookmarks: true }),
      ];
      // What is called later is in order behind their beginning.
      const { cursor } = await next(
        store.watch("a", { initial: true, types: [], bookmarks: true })
          .getReader(),
      );
      watches.push(
        store.watch("a", { after: cursor }),
        store.watch("b", { after: cursor, bookmarks: true }),
      );
      await store.get("a", "1");
      putBack(store, head);
      for (const watch of watches) {
        await assertOverflows(watch.getReader(), reason);
      }
    }));

  Deno.test(`put back, ${name}: a watch that resumed, and has caught up, overflows as "${reason}"`, () =>
    withStore(async (store) => {
      const [last] = (await Array.fromAsync(store.history("a"))).slice(-1);
      for (const after of [last.cursor, 10]) {
        const reader = store.watch("a", { after, bookmarks: true }).getReader();
        assertEquals((await next(reader)).type as string, "bookmark");
        const ending = assertOverflows(reader, reason);
        putBack(store, head);
        await ending;
        store.server.putBack(5);
        await write(store, 6, 10);
        const [now] = (await Array.fromAsync(store.history("a"))).slice(-1);
        assert(now.cursor !== last.cursor);
      }
    }));

  Deno.test(`put back, ${name}: a past snapshot cannot be read any more`, () =>
    withStore(async (store) => {
      await using past = await store.snapshot({ at: 10 });
      await using kept = await store.snapshot({ at: 5 });
      assertEquals(await past.count("a"), 10);
      putBack(store, head);
      const error = await assertRejects(
        () => past.count("a"),
        RevisionUnavailableError,
      );
      assertEquals(error.reason, reason);
      assertEquals(await kept.count("a"), 5);
    }));
}

Deno.test("put back: a watch that has seen no change that is gone goes on in the new history", () =>
  withStore(async (store) => {
    const reader = store.watch("a", { after: 0, bufferSize: 5 }).getReader();
    const seen = await take(reader, 5);
    putBack(store, 12);
    seen.push(...await take(reader, 7));
    assertEquals(keysOf(seen), [
      ..."12345",
      ...[6, 7, 8, 9, 10, 11, 12].map((n) => `other ${n}`),
    ]);
    await reader.cancel();
  }));

Deno.test("put back within a replay: it overflows, and shows nothing of the other history", async () => {
  const counts: number[] = [];
  for (const request of [1, 2, 3, 4]) {
    await withStore(async (store) => {
      const watch = store.watch("a", {
        initial: true,
        bookmarks: true,
        bufferSize: 3,
      });
      onRequest(store, "entries", request, () => putBack(store, 20));
      const { chunks, error } = await drain(watch.getReader());
      assert(error instanceof WatchOverflowError, `${error}`);
      assertEquals(error.reason, "history");
      for (const chunk of chunks) {
        assert(chunk.type !== "bookmark");
        assert(!chunk.key.startsWith("other"), chunk.key);
      }
      counts.push(chunks.length);
    });
  }
  assertEquals(counts, [0, 3, 6, 9]);
});

Deno.test("put back: a watch that begins afterwards waits, and gets new changes", () =>
  withStore(async (store) => {
    putBack(store, 7);
    const reader = store.watch("a").getReader();
    const event = next(reader);
    // It has looked as often as this without asking for changes in a circle.
    await take(store.watch("a", { after: 5 }).getReader(), 2);
    let asked = 0;
    const { request } = store.line;
    store.line.request = (name, ask, signal) => {
      if (name === "changes") asked++;
      return request.call(store.line, name, ask, signal);
    };
    for (let n = 0; n < 50; n++) await store.get("a", "1");
    assert(asked < 10, `It asked ${asked} times`);
    await store.set("a", "new", 1);
    assertEquals((await event).key, "new");
    await reader.cancel();
  }));

for (const reverse of [false, true]) {
  const way = reverse ? "backwards" : "forwards";

  Deno.test(`put back between two pages of a history, ${way}: it fails`, async () => {
    for (const [, head] of SEQUELS) {
      await withStore(async (store) => {
        await store.setAll(
          "a",
          Array.from({ length: 190 }, (_, n) => [`x${n}`, n] as const),
        );
        await store.setAll(
          "a",
          Array.from({ length: 190 }, (_, n) => [`y${n}`, n] as const),
        );
        onRequest(
          store,
          reverse ? "changesBack" : "changes",
          2,
          () => putBack(store, head),
        );
        const history = store.history("a", undefined, { reverse });
        const { chunks, error } = await drain(history.getReader());
        assert(error instanceof RevisionUnavailableError, `${error}`);
        assertEquals(error.reason, "ahead");
        assertEquals(chunks.length, 256);
      });
    }
  });

  Deno.test(`put back between two pages of a history, ${way}, with other changes there: it fails`, () =>
    withStore(async (store) => {
      const entries = (name: string) =>
        Array.from({ length: 150 }, (_, n) => [`${name}${n}`, n] as const);
      for (const name of ["u", "v", "w"]) {
        await store.setAll("a", entries(name));
      }
      onRequest(
        store,
        reverse ? "changesBack" : "changes",
        2,
        async () => {
          store.server.putBack(5);
          for (const name of ["x", "y", "z", "zz"]) {
            await store.setAll("a", entries(name));
          }
        },
      );
      const history = store.history("a", undefined, { reverse });
      const { chunks, error } = await drain(history.getReader());
      assert(error instanceof RevisionUnavailableError, `${error}`);
      assertEquals(error.reason, "history");
      assertEquals(chunks.length, 256);
    }));
}

Deno.test("put back before a history is read: it does not go on for ever", () =>
  withStore(async (store) => {
    const history = store.history("a");
    await store.get("a", "1");
    putBack(store, 7);
    const { chunks, error } = await drain(history.getReader());
    assert(error instanceof RevisionUnavailableError, `${error}`);
    assertEquals(error.reason, "ahead");
    assertEquals(chunks.length, 7);
  }));

Deno.test("a watch that has caught up lives on if the log prunes all that it has seen", () =>
  withStore(async (store) => {
    const reader = store.watch("a").getReader();
    const event = next(reader);
    await store.setAll(
      "a",
      Array.from({ length: 100 }, (_, n) => [`x${n}`, n] as const),
    );
    assertEquals((await event).revision, 11);
    assertEquals((await take(reader, 99)).at(-1)!.revision, 110);
    assertEquals(store.server.oldest, 11);
    await reader.cancel();
  }, { history: 10 }));

Deno.test("put back again and again: each watch tells one history, or overflows", () =>
  withSeed("put back", async (random) => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 40; round++) {
      outcomes.add(await runHistories(new Random(`${random.seed} ${round}`)));
    }
    assertEquals([...outcomes].sort(), ["ahead", "history", "told"]);
  }));

/** Puts a server back a few times while a watch reads; gives how the watch ended. */
async function runHistories(random: Random): Promise<string> {
  const server = new Server();
  const options = { server, longest: 1, sweepInterval: 5 };
  await using reading = await openRemoteStore<Kinds>(options);
  await using writing = await openRemoteStore<Kinds>(options);
  const kind = random.pick(["a", "b"] as const);
  const reader = reading.watch(kind, {
    after: 0,
    bufferSize: random.between(1, 4),
  }).getReader();
  const told: number[] = [];
  let isOver = false;
  const outcome = (async () => {
    try {
      for (;;) {
        const { value } = await next(reader);
        if (value === -1) return "told";
        told.push(value);
      }
    } catch (error) {
      assert(error instanceof WatchOverflowError, `${error}`);
      return error.reason;
    } finally {
      isOver = true;
    }
  })();
  // A history: the values of its changes, each with its kind.
  let history: { kind: "a" | "b"; value: number }[] = [];
  const histories = [history];
  const valuesOf = (changes: typeof history) =>
    changes.filter((change) => change.kind === kind).map(({ value }) => value);
  let value = 0;
  for (let times = random.between(1, 3); times > 0; times--) {
    for (let n = random.between(1, 8); n > 0; n--) {
      const change = { kind: random.pick(["a", "b"] as const), value: ++value };
      await writing.set(change.kind, "key", change.value);
      history.push(change);
    }
    if (times === 1) break;
    const revision = random.between(
      Math.max(0, history.length - 4),
      history.length,
    );
    // It has seen what is lost, and learns of that when there is more.
    if (random.chance(0.5)) {
      const { length } = valuesOf(history);
      reading.line.mend();
      while (told.length < length && !isOver) await turn();
      reading.line.cut();
    }
    server.putBack(revision);
    history = history.slice(0, revision);
    histories.push(history);
  }
  await writing.set(kind, "key", -1);
  reading.line.mend();
  const result = await outcome;
  if (result === "told") assertEquals(told, valuesOf(history));
  else {
    assert(
      histories.some((each) =>
        `${valuesOf(each)},`.startsWith(told.length > 0 ? `${told},` : "")
      ),
      `It told ${told}`,
    );
  }
  await reader.cancel().catch(() => {});
  return result;
}
