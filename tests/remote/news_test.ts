/**
 * The watches that wait for a server's news: none sleeps through a change, or
 * through another history, and none asks without end. Time is the test's.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { NewsWaits } from "../../src/remote/news.ts";
import { FrozenTime } from "../support/manual_time.ts";
import { NewsServer } from "../support/remote/news_server.ts";

/** A watch that waits, and how its wait ended. */
interface Waiting {
  /** Where it went on from; `undefined` while it waits. */
  woken: number | undefined;
  abort(): void;
}

/** What a test has. */
interface Place {
  readonly server: NewsServer;
  readonly waits: NewsWaits;
  readonly time: FrozenTime;
  /** Lets a watch wait that has read all that is there, or up to a place. */
  wait(
    kind: string,
    at?: { head: number; mark: number },
    persistent?: boolean,
  ): Waiting;
  /** Lets what has happened be heard of; no time passes. */
  settle(): Promise<void>;
}

function testNews(name: string, work: (place: Place) => Promise<void>): void {
  Deno.test(name, async () => {
    using time = new FrozenTime();
    const server = new NewsServer();
    const waits = new NewsWaits(server);
    await work({
      server,
      waits,
      time,
      wait(kind, { head, mark } = server, persistent = true) {
        const controller = new AbortController();
        const { signal } = controller;
        const waiting: Waiting = {
          woken: undefined,
          abort: () => controller.abort(),
        };
        const wait = { kinds: [kind], after: head, mark, persistent, signal };
        waits.wait(wait).then((cursor) => waiting.woken = cursor);
        return waiting;
      },
      settle: () => time.advance(0),
    });
    waits.close();
    await time.advance(0);
    assertEquals(time.timers, []);
  });
}

testNews("a hint wakes the watches of the kinds that changed", async (it) => {
  const { server, waits, wait, settle } = it;
  const [a, b] = [wait("a"), wait("b")];
  server.change("a");
  waits.hint();
  await settle();
  assertEquals([a.woken, b.woken, waits.size], [0, undefined, 1]);
});

testNews("a watch of all kinds is woken by any", async (it) => {
  const { server, waits, settle } = it;
  const { signal } = new AbortController();
  const waiting = waits.wait({ after: 0, mark: 0, persistent: true, signal });
  server.change("a");
  waits.hint();
  await settle();
  assertEquals(await waiting, 0);
});

testNews("a change without a hint is found by the next look", async (it) => {
  const { server, time, wait } = it;
  const a = wait("a");
  server.change("a");
  await time.advance(999);
  assertEquals(a.woken, undefined);
  await time.advance(1);
  assertEquals(a.woken, 0);
});

testNews("a hint while the only watch reads is not lost", async (it) => {
  const { server, waits, wait, settle } = it;
  const read = { head: server.head, mark: server.mark };
  server.change("a");
  waits.hint();
  await settle();
  const a = wait("a", read);
  await settle();
  assertEquals(a.woken, 0);
});

testNews(
  "a hint for a watch that pauses is not lost if another one takes it",
  async (it) => {
    const { server, waits, wait, settle } = it;
    const read = { head: server.head, mark: server.mark };
    const other = wait("a");
    server.change("a");
    waits.hint();
    await settle();
    assertEquals([other.woken, waits.size], [0, 0]);
    const a = wait("a", read);
    await settle();
    assertEquals([a.woken, server.looks], [0, 2]);
  },
);

testNews("a hint while one of the watches reads is not lost", async (it) => {
  const { server, waits, wait, settle } = it;
  const b = wait("b");
  const read = { head: server.head, mark: server.mark };
  server.change("a");
  waits.hint();
  await settle();
  const a = wait("a", read);
  await settle();
  assertEquals([a.woken, b.woken], [0, undefined]);
});

testNews("a hint during a look leads to another look", async (it) => {
  const { server, waits, wait, settle } = it;
  const a = wait("a");
  server.hold();
  waits.hint();
  await settle();
  server.change("a");
  waits.hint();
  server.release();
  await settle();
  assertEquals([a.woken, server.looks], [0, 2]);
});

testNews(
  "a look that fails is followed by others, more and more rarely",
  async (it) => {
    const { server, waits, time, wait, settle } = it;
    const a = wait("a");
    server.isAway = true;
    waits.hint();
    await settle();
    const pauses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const [timer] = time.timers;
      pauses.push(timer.in);
      await time.advance(timer.in);
    }
    assertEquals(server.looks, 13);
    assertEquals(pauses, [...pauses].sort((x, y) => x - y));
    assertEquals(pauses.at(-1)! <= 2_000, true);
    server.change("a");
    server.isAway = false;
    await time.advance(pauses.at(-1)!);
    assertEquals(a.woken, 0);
    wait("a");
    assertEquals(time.timers, [{ in: 1_000, keepsRunning: true }]);
  },
);

testNews("every watch is woken if the log was put back", async (it) => {
  const { server, waits, wait, settle } = it;
  server.change("a", 5);
  const [a, b] = [wait("a"), wait("b")];
  server.putBack(3);
  waits.hint();
  await settle();
  assertEquals([a.woken, b.woken], [5, 5]);
});

testNews(
  "every watch is woken if the log has another change at the same head",
  async (it) => {
    const { server, time, wait } = it;
    server.change("a", 5);
    const [a, b] = [wait("a"), wait("b")];
    server.putBack(4);
    server.change("c");
    await time.advance(1_000);
    assertEquals([a.woken, b.woken], [5, 5]);
  },
);

testNews(
  "every watch is woken if a log that was put back is past it, by other kinds",
  async (it) => {
    const { server, time, wait } = it;
    server.change("a", 5);
    const a = wait("a");
    server.putBack(4);
    server.change("c", 4);
    await time.advance(1_000);
    assertEquals(a.woken, 5);
  },
);

testNews(
  "a watch that has read on is woken if the log was put back behind it",
  async (it) => {
    const { server, time, wait } = it;
    server.change("a", 5);
    wait("a");
    server.change("c", 2);
    server.change("b", 3);
    const b = wait("b");
    server.putBack(7);
    await time.advance(1_000);
    assertEquals(b.woken, 10);
  },
);

testNews(
  "a watch that has read on is woken if a log that was put back is past it, by other kinds",
  async (it) => {
    const { server, time, wait } = it;
    server.change("a", 5);
    const a = wait("a");
    server.change("c", 2);
    server.change("b", 3);
    const b = wait("b");
    server.putBack(7);
    server.change("c", 5);
    await time.advance(1_000);
    // The other has seen nothing that is gone.
    assertEquals([a.woken, b.woken], [undefined, 10]);
  },
);

testNews(
  "a watch behind the put-back change is woken",
  async (it) => {
    const { server, time, wait } = it;
    server.change("a", 5);
    const a = wait("a");
    server.change("c", 2);
    await time.advance(1_000);
    assertEquals(a.woken, undefined);
    server.putBack(6);
    server.change("a");
    server.change("c");
    await time.advance(1_000);
    assertEquals(a.woken, 5);
  },
);

testNews("the first watch after a put-back waits", async (it) => {
  const { server, waits, time, wait, settle } = it;
  server.change("a", 5);
  const gone = wait("a");
  server.putBack(2);
  waits.hint();
  await settle();
  assertEquals(gone.woken, 5);
  const { looks } = server;
  const a = wait("a");
  await settle();
  assertEquals([a.woken, server.looks], [undefined, looks]);
  await time.advance(1_000);
  assertEquals([a.woken, server.looks], [undefined, looks + 1]);
});

testNews(
  "the answer to a look for watches that are gone wakes no other",
  async (it) => {
    const { server, waits, wait, settle } = it;
    server.change("a", 5);
    const gone = wait("a");
    server.hold();
    waits.hint();
    await settle();
    gone.abort();
    server.change("a");
    const a = wait("a");
    server.release();
    await settle();
    assertEquals([gone.woken, a.woken, server.looks], [5, undefined, 2]);
  },
);

testNews(
  "a watch of another kind is woken after bookmarkInterval changes",
  async (it) => {
    const { server, waits, wait, settle } = it;
    const a = wait("a");
    server.change("b", 9);
    waits.hint();
    await settle();
    assertEquals(a.woken, undefined);
    server.change("b");
    waits.hint();
    await settle();
    assertEquals(a.woken, 0);
  },
);

testNews("the interval is asked for before each look", async (it) => {
  const { server, time, wait } = it;
  wait("a");
  server.sweep = 100;
  await time.advance(1_000);
  assertEquals(server.looks, 1);
  await time.advance(100);
  assertEquals(server.looks, 2);
});

testNews(
  "the timer keeps the process running while a persistent watch waits",
  async (it) => {
    const { time, wait, settle } = it;
    const keepsRunning = () => time.timers.map((timer) => timer.keepsRunning);
    wait("a", undefined, false);
    assertEquals(keepsRunning(), [false]);
    const persistent = wait("a");
    assertEquals(keepsRunning(), [true]);
    persistent.abort();
    await settle();
    assertEquals(keepsRunning(), [false]);
  },
);

testNews("the source hears whether any watch waits", async (it) => {
  const { server, waits, wait, settle } = it;
  const [a] = [wait("a"), wait("b")];
  assertEquals(server.waiting, [true]);
  a.abort();
  await settle();
  assertEquals(server.waiting, [true]);
  waits.close();
  assertEquals(server.waiting, [true, false]);
});

testNews(
  "closing ends every wait, also those that are called later",
  async (it) => {
    const { server, waits, wait, settle } = it;
    server.change("a", 3);
    const waiting = [wait("a"), wait("b")];
    server.hold();
    waits.hint();
    await settle();
    waits.close();
    waiting.push(wait("a"));
    await settle();
    assertEquals(waiting.map(({ woken }) => woken), [3, 3, 3]);
    server.release();
    await settle();
    assertEquals(server.looks, 1);
  },
);

testNews("a watch that has ended does not wait", async (it) => {
  const { server, waits } = it;
  const after = 0;
  const signal = AbortSignal.abort();
  assertEquals(await waits.wait({ after, persistent: true, signal }), 0);
  assertEquals([waits.size, server.waiting], [0, []]);
});
