/**
 * The log of a far engine, as watches see it: a notification may be lost, come
 * while nobody waits, or overtake an answer.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { WatchOverflowError } from "../../src/contract/errors.ts";
import type { StoredChange } from "../../src/engine/entries.ts";
import { ALL_KEYS } from "../../src/keys/key_range.ts";
import { bytesOf, KIND, set } from "../support/remote/operations.ts";
import { ending, timeOf, withTime } from "../support/remote/frozen_client.ts";
import {
  type TestClient,
  withClient,
  withTwoClients,
} from "../support/remote/open_clients.ts";
import { Server } from "../support/remote/server.ts";

const FILTER = { kinds: [KIND], keys: ALL_KEYS };

/** Waits for changes past a revision. */
function waitFor(
  { engine }: TestClient,
  after: number,
  signal = new AbortController().signal,
): Promise<number> {
  return engine.log.wait({ kinds: [KIND], after, persistent: true, signal });
}

Deno.test("a wait ends when another client commits", () =>
  withTwoClients(async (a, b) => {
    const waiting = waitFor(a, 0);
    await b.write(set("x", "1"));
    assertEquals(await waiting, 0);
  }, { sweepInterval: 60_000 }));

const SWEEP = { sweepInterval: 1_000 };

/** Commits a change, as another client does. */
async function commit(server: Server): Promise<void> {
  const client = "other";
  const changes = [{ kind: KIND, key: "x", next: { value: bytesOf("1") } }];
  const writes = [{ checks: [], seen: [], changes, end: "done" }] as const;
  await server.handle("hello", { client });
  const { ok } = await server.handle("write", { client, batch: 1, writes });
  assert(ok);
}

Deno.test(
  "a notification that comes between a read and the wait is remembered",
  withTime(SWEEP, async (client, time) => {
    const { engine, server } = client;
    const reading = Promise.resolve(engine.log.read(FILTER, 0, 10));
    const { cursor } = await ending(time, reading);
    // The answer was on its way meanwhile: nobody waits.
    await commit(server);
    await time.advance(0);
    await time.advance(0);
    assertEquals(await timeOf(time, waitFor(client, cursor)), 0);
  }),
);

Deno.test(
  "a client's own commits end its waits, notified or not",
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
    await commit(server);
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
    await commit(server);
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
      log.wait({ kinds: [KIND], after: 0, persistent: i === 1, signal })
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

Deno.test("a log that was pruned, or never went so far, is an overflow", () =>
  withClient(async ({ engine, server, write }) => {
    for (let n = 0; n < 40; n++) await write(set("x", String(n)));
    assert(server.oldest > 1, "Nothing was pruned");
    const after = server.oldest - 2;
    await assertRejects(
      async () => await engine.log.read(FILTER, after, 10),
      WatchOverflowError,
    );
    await assertRejects(
      async () => await engine.log.readBack(FILTER, 41, after, 10),
      WatchOverflowError,
    );
    await assertRejects(
      async () => await engine.log.read(FILTER, 41, 10),
      WatchOverflowError,
    );
    const kept = await engine.log.read(FILTER, after + 1, 100);
    assertEquals(kept.changes[0].revision, server.oldest);
    assertEquals(kept.cursor, 40);
    const back = await engine.log.readBack(FILTER, 41, after + 1, 100);
    assertEquals(back.changes, kept.changes.toReversed());
    assertEquals(back.cursor, server.oldest);
    assertEquals(await engine.log.oldest(), server.oldest);
    assertEquals(await engine.log.markOf(server.oldest - 1), undefined);
    const { mark } = kept.changes[0] as StoredChange;
    assertEquals(await engine.log.markOf(server.oldest), mark);
  }, { server: new Server({ history: 10 }) }));
