/**
 * The log of a far engine, as watches see it: a notification may be lost, come
 * while nobody waits, or overtake an answer.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  StoreUnavailableError,
  WatchOverflowError,
} from "../../src/contract/errors.ts";
import type { Replay, ReplayEntry } from "../../src/engine/change_log.ts";
import { ALL_KEYS, prefixRange } from "../../src/keys/key_range.ts";
import { Random, withSeed } from "../support/random.ts";
import { CUTS } from "../support/remote/line.ts";
import {
  atomic,
  bytesOf,
  KIND,
  put,
  remove,
  set,
  textOf,
} from "../support/remote/operations.ts";
import { ending, timeOf, withTime } from "../support/remote/frozen_client.ts";
import {
  readLog,
  type TestClient,
  withClient,
  withTwoClients,
} from "../support/remote/open_clients.ts";
import { Server } from "../support/remote/server.ts";

const FILTER = { kind: KIND, keys: ALL_KEYS };

/** Waits for changes past a revision. */
function waitFor(
  { engine }: TestClient,
  after: number,
  signal = new AbortController().signal,
): Promise<number> {
  return engine.log.wait({ kind: KIND, after, persistent: true, signal });
}

async function readReplay(
  replay: Replay,
  limit = 3,
): Promise<[string, string, number][]> {
  const all: ReplayEntry[] = [];
  while (!replay.done) {
    const page = await replay.next(limit);
    assert(page.length <= limit, "A page has more than it may");
    all.push(...page);
  }
  return all.map(({ key, value, version }) => [key, textOf(value)!, version]);
}

Deno.test("a wait ends when another client commits", () =>
  withTwoClients(async (a, b) => {
    const waiting = waitFor(a, 0);
    await b.write(set("x", "1"));
    assertEquals(await waiting, 0);
  }, { sweepInterval: 60_000 }));

const SWEEP = { sweepInterval: 1_000 };

/** Commits a change, as another client does. */
function commit(server: Server): void {
  const client = "other";
  const changes = [{ kind: KIND, key: "x", next: { value: bytesOf("1") } }];
  const writes = [{ checks: [], changes, fails: false }];
  server.handle("hello", { client });
  const { ok } = server.handle("write", { client, batch: 1, writes });
  assert(ok);
}

Deno.test(
  "a notification that comes between a read and the wait is remembered",
  withTime(SWEEP, async (client, time) => {
    const { engine, server } = client;
    const reading = Promise.resolve(engine.log.read(FILTER, 0, 10));
    const { cursor } = await ending(time, reading);
    // The answer was on its way meanwhile: nobody waits.
    commit(server);
    await time.advance(0);
    await time.advance(0);
    assertEquals(await timeOf(time, waitFor(client, cursor)), 0);
  }),
);

Deno.test(
  "what a client commits itself ends its waits, notified or not",
  withTime(SWEEP, async (client, time) => {
    const { line, write } = client;
    const waiting = waitFor(client, 0);
    // It hears nothing, and is told when its batch is answered.
    line.deafen();
    await ending(time, write(set("x", "1")));
    assertEquals(await timeOf(time, waiting), 0);
    assertEquals(await timeOf(time, waitFor(client, 0)), 0);
  }),
);

Deno.test(
  "a notification that is lost is made up for by the sweep",
  withTime(SWEEP, async (client, time) => {
    const { line, server } = client;
    const waiting = waitFor(client, 0);
    let isOver = false;
    waiting.then(() => isOver = true);
    line.cut();
    commit(server);
    line.mend();
    await time.advance(999);
    assert(!isOver);
    await time.advance(1);
    assertEquals(await timeOf(time, waiting), 0);
    assertEquals(await waiting, 0);
  }),
);

Deno.test(
  "a sweep that fails is followed by another one",
  withTime(SWEEP, async (client, time) => {
    const { line, server } = client;
    const waiting = waitFor(client, 0);
    line.cut();
    await time.advance(5_000);
    commit(server);
    line.silence();
    await time.advance(5_000);
    line.mend();
    const took = await timeOf(time, waiting);
    assert(took <= 1_005, `It took ${took} ms`);
  }),
);

Deno.test(
  "a wait keeps the process running only if it is persistent",
  withTime(SWEEP, async ({ engine: { log } }, time) => {
    const stops = [new AbortController(), new AbortController()];
    const waits = stops.map(({ signal }, i) =>
      log.wait({ kind: KIND, after: 0, persistent: i === 1, signal })
    );
    assertEquals(time.timers, [{ in: 1_000, keepsRunning: true }]);
    stops[1].abort();
    assertEquals(await waits[1], 0);
    assertEquals(time.timers, [{ in: 1_000, keepsRunning: false }]);
    stops[0].abort();
    assertEquals(await waits[0], 0);
    assertEquals(time.timers, []);
  }),
);

for (const cut of CUTS) {
  Deno.test(`a page of a replay is not left out if it is cut ${cut}`, () =>
    withClient(async ({ engine, line, write }) => {
      const keys = Array.from({ length: 10 }, (_, i) => `k${i}`);
      await write(atomic(keys.map((key) => put(key, key))));
      const replay = engine.log.replay(FILTER, 10);
      const first = await replay.next(4);
      line.cutNext(cut, cut);
      const second = await replay.next(4);
      const third = await replay.next(4);
      assert(replay.done);
      assertEquals(
        [first, second, third].map((page) => page.map(({ key }) => key)),
        [keys.slice(0, 4), keys.slice(4, 8), keys.slice(8)],
      );
    }));
}

Deno.test(
  "a page of a replay that fails may be read again",
  withTime({ busyTimeout: 20 }, async ({ engine, line, write }, time) => {
    await ending(
      time,
      write(atomic(["a", "b", "c"].map((key) => put(key, key)))),
    );
    const replay = engine.log.replay(FILTER, 3);
    const read = async (limit: number) =>
      (await ending(time, replay.next(limit))).map(({ key }) => key);
    assertEquals(await read(1), ["a"]);
    line.cut();
    await assertRejects(() => read(1), StoreUnavailableError);
    assert(!replay.done);
    line.mend();
    assertEquals(await read(1), ["b"]);
    assertEquals(await read(9), ["c"]);
  }),
);

Deno.test("a replay is of its revision, whoever writes meanwhile", () =>
  withSeed("replays", (random) =>
    withTwoClients(async (a, b) => {
      const keys = Array.from({ length: 12 }, (_, i) => `${"ab"[i % 2]}${i}`);
      const own = new Random(`${random.seed} writes`);
      const writeAny = () => {
        const key = own.pick(keys);
        const value = String(own.below(1_000));
        return b.write(own.chance(0.4) ? remove(key) : set(key, value));
      };
      for (let n = 0; n < 30; n++) await writeAny();
      for (let round = 0; round < 15; round++) {
        const revision = await a.engine.log.head();
        const range = own.pick([ALL_KEYS, prefixRange("a")]);
        const page = await a.engine.entries(KIND, range);
        const expected = page.items.map(({ key, value, version }) =>
          [key, textOf(value)!, version] as [string, string, number]
        );
        const filter = { kind: KIND, keys: range };
        const replay = a.engine.log.replay(filter, revision);
        const writing = Array.from({ length: own.below(20) }, writeAny);
        const limit = own.between(1, 5);
        assertEquals(await readReplay(replay, limit), expected);
        await Promise.all(writing);
      }
    }, { random, cuts: 0.1 })));

Deno.test("a log that was pruned, or never went so far, is an overflow", () =>
  withClient(async (client) => {
    const { engine, server, write } = client;
    for (let n = 0; n < 40; n++) await write(set("x", String(n)));
    assert(server.oldest > 1, "Nothing was pruned");
    const after = server.oldest - 2;
    await assertRejects(
      async () => await engine.log.read(FILTER, after, 10),
      WatchOverflowError,
    );
    await assertRejects(
      () => engine.log.replay(FILTER, after).next(10),
      WatchOverflowError,
    );
    await assertRejects(
      async () => await engine.log.read(FILTER, 41, 10),
      WatchOverflowError,
    );
    const kept = await engine.log.read(FILTER, after + 1, 100);
    assertEquals(kept.changes[0].revision, server.oldest);
    assertEquals(kept.cursor, 40);
    await assertRejects(() => readLog(client), WatchOverflowError);
  }, { server: new Server({ history: 10 }) }));
