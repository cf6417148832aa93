/**
 * When the feed of a store in etcd runs. It needs no etcd.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Feed } from "../../src/etcd/storage/feed.ts";
import { LogWaits } from "../../src/etcd/storage/log_waits.ts";
import { ManualTime } from "../support/manual_time.ts";

const LINGER_MS = 250;

/** A feed that only starts and stops. */
class IdleFeed {
  isRunning = false;
  starts = 0;

  start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.starts++;
  }

  stop(): Promise<void> {
    this.isRunning = false;
    return Promise.resolve();
  }
}

function waitsOn(feed: IdleFeed): LogWaits {
  return new LogWaits({
    feed: feed as unknown as Feed,
    bookmarkInterval: 100,
    lingerMs: LINGER_MS,
    pollMs: 100,
    look: () => Promise.resolve(0),
  });
}

Deno.test("the feed runs while a watch reads, also if it never waits", async () => {
  using time = new ManualTime();
  const feed = new IdleFeed();
  const waits = waitsOn(feed);
  for (let n = 0; n < 10; n++) {
    waits.noteRead();
    assertEquals([feed.isRunning, feed.starts], [true, 1]);
    await time.advance(LINGER_MS - 1);
  }
  await time.advance(LINGER_MS);
  assertEquals(feed.isRunning, false);
  assertEquals(time.timers, []);
  waits.noteRead();
  assertEquals(feed.starts, 2);
  // The feed's own request keeps the process running, its timer does not.
  assertEquals(time.timers, [{ in: LINGER_MS, keepsRunning: false }]);
  waits.close();
  waits.noteRead();
  assertEquals([feed.starts, time.timers], [2, []]);
});

Deno.test("the feed runs while a watch waits, and a moment longer", async () => {
  using time = new ManualTime();
  const feed = new IdleFeed();
  const waits = waitsOn(feed);
  const stop = new AbortController();
  const { signal } = stop;
  const waiting = waits.wait({ after: 1, persistent: true, signal });
  await time.advance(10 * LINGER_MS);
  assertEquals([feed.isRunning, feed.starts], [true, 1]);
  stop.abort();
  assertEquals(await waiting, 1);
  await time.advance(LINGER_MS - 1);
  assertEquals(feed.isRunning, true);
  await time.advance(1);
  assertEquals([feed.isRunning, time.timers], [false, []]);
});
