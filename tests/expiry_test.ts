/**
 * The timer that removes what has expired: when it looks, that it rests, and
 * that a clock that jumps, an error or the end of the store does not confuse it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Expiry } from "../src/engine/expiry.ts";
import { ManualTime, turn } from "./support/manual_time.ts";

const BUSY = "database is locked";

function isBusy(error: unknown): boolean {
  return (error as Error).message === BUSY;
}

/** Entries that expire, by the clock of the day. */
class FakeStorage {
  /** When each entry expires. */
  expiries: number[] = [];
  /** When something was removed, and how much. */
  readonly removals: [at: number, count: number][] = [];
  /** When it was asked what expires next. */
  readonly looks: number[] = [];
  /** How many entries one transaction removes. */
  mostAtOnce = Infinity;
  onLook = () => {};
  onRemove: () => void | Promise<void> = () => {};
  readonly #start = Date.now();

  /** The time of the day, from the test's beginning. */
  get now(): number {
    return Date.now() - this.#start;
  }

  /** An entry that expires in so many ms. */
  put(ms: number): number {
    const at = Date.now() + ms;
    this.expiries.push(at);
    return at;
  }

  expiry(isShared = false): Expiry {
    return new Expiry({
      isShared,
      next: () => {
        this.looks.push(this.now);
        this.onLook();
        return this.expiries.length > 0
          ? Math.min(...this.expiries)
          : undefined;
      },
      removeSome: async () => {
        await this.onRemove();
        this.expiries.sort((a, b) => a - b);
        const gone = this.expiries.filter((at) => at <= Date.now())
          .slice(0, this.mostAtOnce);
        this.expiries.splice(0, gone.length);
        this.removals.push([this.now, gone.length]);
        return gone.length === this.mostAtOnce;
      },
      isBusy,
    });
  }
}

/** What a test of a store that nobody shares has at hand. */
interface Fixture {
  readonly time: ManualTime;
  readonly storage: FakeStorage;
  readonly expiry: Expiry;
}

/** Tests with stopped time; closes the timer in the end. */
function testExpiry(
  name: string,
  test: (fixture: Fixture) => Promise<void>,
): void {
  Deno.test(name, async () => {
    using time = new ManualTime();
    const storage = new FakeStorage();
    const expiry = storage.expiry();
    await test({ time, storage, expiry });
    await expiry.close();
  });
}

testExpiry(
  "expired entries are removed in time, and then nothing runs",
  async ({ time, storage, expiry }) => {
    expiry.start();
    assertEquals(time.timers, []);
    expiry.expect(storage.put(500));
    assertEquals(time.timers, [{ in: 500, keepsRunning: false }]);
    await time.advance(499);
    assertEquals(storage.removals, []);
    await time.advance(1);
    assertEquals(storage.removals, [[500, 1]]);
    assertEquals(time.timers, []);
  },
);

testExpiry(
  "an own put that expires sooner, or later, is removed in its time",
  async ({ time, storage, expiry }) => {
    for (const ms of [700, 300, 900, 100, 100]) expiry.expect(storage.put(ms));
    // One timer at a time.
    assertEquals(time.timers, [{ in: 100, keepsRunning: false }]);
    await time.advance(2_000);
    assertEquals(storage.removals, [[100, 2], [300, 1], [700, 1], [900, 1]]);
    assertEquals(time.timers, []);
  },
);

testExpiry(
  "entries that have expired already are removed at once",
  async ({ time, storage, expiry }) => {
    expiry.expect(storage.put(-5_000));
    await time.advance(1);
    assertEquals(storage.removals, [[1, 1]]);
  },
);

testExpiry(
  "entries that are put during a removal are removed in time, too",
  async ({ time, storage, expiry }) => {
    const gate = Promise.withResolvers<void>();
    storage.onRemove = () => gate.promise;
    expiry.expect(storage.put(100));
    await time.advance(100);
    // The transaction goes on for longer than it takes the next one to expire.
    expiry.expect(storage.put(50));
    expiry.expect(storage.put(400));
    await time.advance(200);
    assertEquals(storage.removals, []);
    gate.resolve();
    await time.advance(200);
    assertEquals(storage.removals, [[300, 2], [500, 1]]);
    assertEquals(time.timers, []);
  },
);

testExpiry(
  "many that expire at once are removed in several transactions, with a rest between",
  async () => {
    using time = new ManualTime();
    const storage = new FakeStorage();
    storage.mostAtOnce = 10;
    const expiry = storage.expiry();
    for (let i = 0; i < 25; i++) storage.put(100 + i % 2);
    expiry.expect(storage.put(100));
    await time.advance(1_000);
    const counts = storage.removals.map(([, count]) => count);
    assertEquals(counts.reduce((a, b) => a + b), 26);
    const times = storage.removals.map(([at]) => at);
    assertEquals(times[0], 100);
    for (let i = 1; i < times.length; i++) {
      assertEquals(times[i] - times[i - 1], 3);
    }
    assertEquals(time.timers, []);
    await expiry.close();
  },
);

Deno.test("the store looks each second for entries of others; the first look comes soon", async () => {
  using time = new ManualTime();
  const storage = new FakeStorage();
  const expiry = storage.expiry(true);
  expiry.start();
  assertEquals(time.timers, [{ in: 20, keepsRunning: false }]);
  await time.advance(3_020);
  assertEquals(storage.looks, [20, 1_020, 2_020, 3_020]);
  assertEquals(time.timers, [{ in: 1_000, keepsRunning: false }]);
  // Others wrote this: nobody told.
  storage.put(1_300);
  await time.advance(1_300);
  assertEquals(storage.removals, [[4_320, 1]]);
  await expiry.close();
  assertEquals(time.timers, []);
});

testExpiry(
  "a long wait ends in time although the clock was set forward meanwhile",
  async ({ time, storage, expiry }) => {
    expiry.expect(storage.put(3_600_000));
    await time.advance(1_500);
    assertEquals(storage.removals, []);
    time.jump(3_600_000);
    // At the latest a second later.
    await time.advance(1_000);
    assertEquals(storage.removals.length, 1);
    assertEquals(time.timers, []);
  },
);

testExpiry(
  "if the clock was set back, no entry is removed too early",
  async ({ time, storage, expiry }) => {
    expiry.expect(storage.put(500));
    time.jump(-10_000);
    await time.advance(10_400);
    assertEquals(storage.removals, []);
    // A put after the clock was set back counts by the new one.
    expiry.expect(storage.put(50));
    await time.advance(50);
    assertEquals(storage.removals, [[450, 1]]);
    await time.advance(50);
    assertEquals(storage.removals, [[450, 1], [500, 1]]);
    assertEquals(time.timers, []);
  },
);

testExpiry(
  "a put after the clock was set back is removed in time",
  async ({ time, storage, expiry }) => {
    expiry.expect(storage.put(900));
    time.jump(-3_600_000);
    expiry.expect(storage.put(100));
    await time.advance(100);
    assertEquals(storage.removals.length, 1);
  },
);

testExpiry(
  "if the clock goes back and forth, nothing is lost, and it does not spin",
  async () => {
    using time = new ManualTime();
    const storage = new FakeStorage();
    const expiry = storage.expiry(true);
    expiry.start();
    const start = storage.now;
    for (const jump of [60_000, -60_000, -60_000, 120_000, -60_000]) {
      expiry.expect(storage.put(400));
      time.jump(jump);
      await time.advance(1_500);
    }
    await time.advance(120_000);
    assertEquals(storage.now - start, 5 * 1_500 + 120_000);
    assertEquals(storage.expiries, []);
    assert(storage.looks.length < 200, `${storage.looks.length} looks`);
    await expiry.close();
  },
);

for (const isShared of [false, true]) {
  for (const where of ["onLook", "onRemove"] as const) {
    const store = isShared ? "a file" : "memory";
    Deno.test(`an error is followed by another try a second later (${where}, ${store})`, async () => {
      using time = new ManualTime();
      const storage = new FakeStorage();
      const expiry = storage.expiry(isShared);
      let failures = 0;
      storage[where] = () => {
        if (++failures <= 3) throw new Error("disk I/O error");
      };
      expiry.expect(storage.put(100));
      await time.advance(3_099);
      assertEquals(storage.removals, []);
      await time.advance(1);
      assertEquals(storage.removals, [[3_100, 1]]);
      await expiry.close();
      assertEquals(time.timers, []);
    });
  }
}

testExpiry(
  "if another connection has the lock, it tries again soon, and keeps nothing running",
  async ({ time, storage, expiry }) => {
    let failures = 0;
    storage.onRemove = () => {
      if (++failures <= 20) throw new Error(BUSY);
    };
    expiry.expect(storage.put(100));
    await time.advance(150);
    assertEquals(time.timers.map(({ keepsRunning }) => keepsRunning), [false]);
    assert(failures > 2, `${failures} tries`);
    await time.advance(350);
    assertEquals(storage.removals.length, 1);
  },
);

testExpiry(
  "an entry that cannot be removed is tried again each second",
  async () => {
    using time = new ManualTime();
    let tries = 0;
    const kept = Date.now() + 100;
    const expiry = new Expiry({
      isShared: false,
      next: () => kept,
      removeSome: () => Promise.resolve(++tries < 0),
      isBusy,
    });
    expiry.expect(kept);
    await time.advance(10_100);
    assertEquals(tries, 11);
    await expiry.close();
  },
);

Deno.test("`close()` ends a wait for a turn", async () => {
  using time = new ManualTime();
  const waiting = Promise.withResolvers<AbortSignal>();
  const expiry = new Expiry({
    isShared: false,
    next: () => 0,
    removeSome: (signal) => {
      waiting.resolve(signal);
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      );
    },
    isBusy,
  });
  expiry.expect(0);
  await time.advance(1);
  await waiting.promise;
  await expiry.close();
  assertEquals(time.timers, []);
});

testExpiry(
  "an error does not keep back an own put that expires sooner",
  async ({ time, storage, expiry }) => {
    let failures = 0;
    storage.onRemove = () => {
      if (++failures === 1) throw new Error("disk I/O error");
    };
    expiry.expect(storage.put(100));
    await time.advance(200);
    expiry.expect(storage.put(100));
    await time.advance(100);
    assertEquals(storage.removals, [[300, 2]]);
  },
);

testExpiry(
  "nor one that was put while what failed was going on",
  async ({ time, storage, expiry }) => {
    const gate = Promise.withResolvers<void>();
    storage.onRemove = () => gate.promise;
    expiry.expect(storage.put(100));
    await time.advance(100);
    expiry.expect(storage.put(50));
    storage.onRemove = () => {};
    gate.reject(new Error("disk I/O error"));
    await time.advance(50);
    assertEquals(storage.removals, [[150, 2]]);
  },
);

Deno.test("`close()` ends the timer, and nothing is planned any more", async () => {
  using time = new ManualTime();
  const storage = new FakeStorage();
  const expiry = storage.expiry(true);
  expiry.start();
  expiry.expect(storage.put(100));
  await expiry.close();
  assertEquals(time.timers, []);
  expiry.expect(storage.put(1));
  assertEquals(time.timers, []);
  await time.advance(5_000);
  assertEquals(storage.looks, []);
});

Deno.test("`close()` in the middle waits for the transaction, and is the end", async () => {
  using time = new ManualTime();
  const storage = new FakeStorage();
  storage.mostAtOnce = 1;
  const expiry = storage.expiry(true);
  const gate = Promise.withResolvers<void>();
  storage.onRemove = () => gate.promise;
  storage.put(50);
  expiry.expect(storage.put(50));
  await time.advance(50);
  let isClosed = false;
  const closing = expiry.close().then(() => isClosed = true);
  await turn();
  assert(!isClosed);
  // Its transaction removes one of the two. The other one stays.
  gate.resolve();
  await closing;
  assertEquals(storage.removals, [[50, 1]]);
  assertEquals(time.timers, []);
  await time.advance(5_000);
  assertEquals(storage.removals.length, 1);
});

Deno.test("`close()` during a look for expiries removes nothing", async () => {
  using time = new ManualTime();
  const storage = new FakeStorage();
  const gate = Promise.withResolvers<void>();
  let removals = 0;
  const expiry = new Expiry({
    isShared: false,
    next: () => gate.promise.then(() => 0),
    removeSome: () => Promise.resolve(++removals > 0),
    isBusy,
  });
  expiry.expect(storage.put(0));
  await time.advance(0);
  const closing = expiry.close();
  gate.resolve();
  await closing;
  assertEquals(removals, 0);
  assertEquals(time.timers, []);
});
