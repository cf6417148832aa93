/**
 * The wake-up: which watches it wakes, when it looks, and that it rests. That
 * the writes of other processes arrive is tested with such processes.
 *
 * @module
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import type { Changes } from "../src/local/storage.ts";
import { newsPast } from "../src/local/revisions.ts";
import {
  type News,
  type OpenNotifier,
  Wakeup,
  type WriteListener,
} from "../src/local/wakeup.ts";
import { ManualTime, turn } from "./support/manual_time.ts";

/** A log to look at, and a notifier, both in the test's hands. */
class FakeFile {
  head = 0;
  /** The kinds that changed, by revision; `undefined` for one that is not known. */
  readonly kinds: (string | undefined)[] = [];
  looks = 0;
  onLook = () => {};
  /** The notifiers opened so far, and whether each is open still. */
  readonly notifiers: { listener: WriteListener; isOpen: boolean }[] = [];

  /** Changes kinds, telling nobody. */
  change(...kinds: (string | undefined)[]): void {
    this.kinds.push(...kinds);
    this.head += kinds.length;
  }

  readonly look = (after: number): Promise<News> => {
    this.looks++;
    this.onLook();
    const kinds = this.kinds.slice(after);
    return Promise.resolve({
      head: this.head,
      ...!kinds.includes(undefined) && { kinds: new Set(kinds as string[]) },
    });
  };

  readonly openNotifier: OpenNotifier = (listener) => {
    const notifier = { listener, isOpen: true };
    this.notifiers.push(notifier);
    return {
      [Symbol.dispose]() {
        assert(notifier.isOpen, "it is closed twice");
        notifier.isOpen = false;
      },
    };
  };

  get listener(): WriteListener {
    const last = this.notifiers.at(-1);
    assert(last?.isOpen, "there is no notifier");
    return last.listener;
  }

  wakeup(openNotifier = this.openNotifier): Wakeup {
    return new Wakeup(this.look, openNotifier, 100);
  }
}

/** A watch that waits, and tells what it was woken with. */
class Waiting implements Disposable {
  readonly #wakeup: Wakeup;
  readonly #watch = new AbortController();
  readonly #kinds: readonly string[] | undefined;
  readonly #persistent: boolean;
  woken: number | undefined;

  /** Takes the kinds that it watches: one, several, or all without it. */
  constructor(
    wakeup: Wakeup,
    kinds?: string | readonly string[],
    persistent = true,
  ) {
    this.#wakeup = wakeup;
    this.#kinds = typeof kinds === "string" ? [kinds] : kinds;
    this.#persistent = persistent;
  }

  async wait(after: number): Promise<number> {
    this.woken = undefined;
    return this.woken = await this.#wakeup.wait({
      kinds: this.#kinds,
      after,
      persistent: this.#persistent,
      signal: this.#watch.signal,
    });
  }

  end(): void {
    this.#watch.abort();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** Passes turns of the event loop until the condition holds. */
async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

Deno.test("an own commit wakes the watches of the kinds it changed", async () => {
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  using other = new Waiting(wakeup, "other");
  const woken = one.wait(0);
  other.wait(0);
  file.change("one", "one");
  wakeup.committed(0, { head: file.head });
  // From where it stood: these two it has not seen.
  assertEquals(await woken, 0);
  assertEquals(other.woken, undefined);
  file.change("other");
  wakeup.committed(0, { head: file.head });
  await turnsUntil(() => other.woken !== undefined);
  // It missed none of what was before.
  assertEquals(other.woken, 2);
});

Deno.test("an own commit whose kinds are known wakes its watches without a look", async () => {
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  using other = new Waiting(wakeup, "other");
  const woken = one.wait(0);
  other.wait(0);
  await turn();
  const { looks } = file;
  file.change("one");
  wakeup.committed(0, { head: 1, kinds: new Set(["one"]) });
  assertEquals(await woken, 0);
  assertEquals([other.woken, file.looks], [undefined, looks]);
});

Deno.test("an own commit that follows others' changes makes a look", async () => {
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  using other = new Waiting(wakeup, "other");
  one.wait(0);
  const woken = other.wait(0);
  await turn();
  // Another process changes `other`, and nobody was told of it yet.
  file.change("other", "one");
  wakeup.committed(1, { head: 2, kinds: new Set(["one"]) });
  assertEquals(await woken, 0);
  await turnsUntil(() => one.woken !== undefined);
});

Deno.test("a watch of several kinds is woken by each of them, one of all by any", async () => {
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using several = new Waiting(wakeup, ["one", "two"]);
  using all = new Waiting(wakeup);
  using none = new Waiting(wakeup, []);
  none.wait(0);
  for (const [i, kind] of ["two", "one"].entries()) {
    const woken = [several.wait(i), all.wait(i)];
    file.change(kind);
    wakeup.committed(0, { head: file.head });
    assertEquals(await Promise.all(woken), [i, i]);
  }
  several.wait(2);
  const woken = all.wait(2);
  file.change("other");
  wakeup.committed(0, { head: file.head });
  assertEquals(await woken, 2);
  assertEquals([several.woken, none.woken], [undefined, undefined]);
});

Deno.test("every watch is woken if the changed kinds are unknown", async () => {
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  using other = new Waiting(wakeup, "other");
  const woken = [one.wait(0), other.wait(0)];
  file.change(undefined);
  wakeup.committed(0, { head: file.head });
  assertEquals(await Promise.all(woken), [0, 0]);
});

Deno.test("a quiet kind's watch is woken now and then, with its place kept", async () => {
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using quiet = new Waiting(wakeup, "quiet");
  const woken = quiet.wait(0);
  for (let i = 1; i < 100; i++) {
    file.change("busy");
    wakeup.committed(0, { head: file.head });
    await turnsUntil(() => file.looks > i);
  }
  assertEquals(quiet.woken, undefined);
  file.change("busy");
  wakeup.committed(0, { head: file.head });
  assertEquals(await woken, 99);
});

Deno.test("a watch that is behind does not wait", async () => {
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  using quiet = new Waiting(wakeup, "quiet");
  using late = new Waiting(wakeup, "late");
  const woken = one.wait(0);
  quiet.wait(0);
  file.change("one", "late");
  wakeup.committed(0, { head: file.head });
  await woken;
  assertEquals(await late.wait(1), 1);
  assertEquals(quiet.woken, undefined);
});

Deno.test("a watch does not wait for an own commit that came before it did", async () => {
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  // It is there, and there has been a sign of everything so far.
  file.change("one");
  const woken = one.wait(1);
  file.change("one");
  wakeup.committed(0, { head: file.head });
  assertEquals(await woken, 1);
  // Read up to there; then, before it waits, the commit.
  file.change("one");
  wakeup.committed(0, { head: file.head });
  const looks = file.looks;
  assertEquals(await one.wait(2), 2);
  assertEquals(file.looks, looks);
});

Deno.test("the changed kinds are known while the log is complete", () => {
  const changes = (oldest: number, head: number) =>
    ({
      isLogged: () => true,
      headRevision: () => head,
      oldestRevision: () => oldest,
      listChangedKinds: () => ["one"],
    }) as unknown as Changes;
  const kinds = new Set(["one"]);
  assertEquals(newsPast(changes(1, 5), 5), { head: 5 });
  assertEquals(newsPast(changes(6, 9), 5), { head: 9, kinds });
  assertEquals(newsPast(changes(7, 9), 5), { head: 9 });
  assertEquals(newsPast(changes(1, 10_005), 5), { head: 10_005, kinds });
  assertEquals(newsPast(changes(1, 10_006), 5), { head: 10_006 });
});

Deno.test("a commit while it looks makes it look again", async () => {
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  const woken = one.wait(0);
  await turnsUntil(() => file.looks === 1);
  let commits = 0;
  file.onLook = () => {
    if (commits++ > 0) return;
    // After this look has read the head.
    queueMicrotask(() => {
      file.change("one");
      wakeup.committed(0, { head: file.head });
    });
  };
  wakeup.committed(0, { head: file.head });
  assertEquals(await woken, 0);
  assertEquals(file.looks, 3);
});

Deno.test("it looks when the notifier opens, because earlier writes were not notified", async () => {
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  file.change("one");
  assertEquals(await one.wait(0), 0);
  assertEquals(file.notifiers.length, 1);
});

Deno.test("a failing look wakes every watch, to meet the failure", async () => {
  const file = new FakeFile();
  const wakeup = new Wakeup(
    () => Promise.reject(new Error("Cannot read")),
    file.openNotifier,
    100,
  );
  using one = new Waiting(wakeup, "one");
  using other = new Waiting(wakeup, "other");
  assertEquals(await Promise.all([one.wait(3), other.wait(3)]), [3, 3]);
});

// When it looks.

Deno.test("a notification that shows nothing new is followed by looks, ever later", async () => {
  using time = new ManualTime();
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  one.wait(0);
  await time.advance(100);
  file.listener.onWrite();
  // At once, and each turn of the event loop within a millisecond.
  assertEquals(file.looks, 2);
  await turn();
  for (const looks of [3, 4, 5]) {
    await turn();
    assertEquals(file.looks, looks);
  }
  const looks = [0];
  let elapsed = 1;
  file.onLook = () => looks.push(elapsed);
  for (; elapsed < 8_000; elapsed++) await time.advance(1);
  const pauses = looks.slice(1).map((at, i) => at - looks[i]);
  assertEquals(looks.slice(0, 6), [0, 1, 2, 2, 3, 4]);
  assertEquals(pauses.slice(3), pauses.slice(3).sort((a, b) => a - b));
  // In the end it is the sweep.
  assertEquals(pauses.at(-1), 2_000);
  assertLess(pauses.length, 25);
  assertEquals(one.woken, undefined);
});

Deno.test("a change is found by whichever look comes first", async () => {
  using time = new ManualTime();
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  for (let revision = 0, pause = 0; pause < 6_000; revision++, pause += 600) {
    one.wait(revision);
    file.listener.onWrite();
    await time.advance(pause);
    assertEquals(one.woken, undefined);
    file.change("one");
    await time.advance(2_000);
    assertEquals(one.woken, revision);
    // It is back soon enough for the notifier to be there.
    one.wait(revision + 1);
  }
});

Deno.test("notifications that show nothing are not all followed closely", async () => {
  using time = new ManualTime();
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  one.wait(0);
  await time.advance(100);
  file.listener.onWrite();
  await turn();
  await time.advance(2);
  await turn();
  const { looks } = file;
  for (let i = 0; i < 10; i++) {
    file.listener.onWrite();
    await turn();
    await turn();
  }
  // Each is looked at, but no turn after it is.
  assertEquals(file.looks - looks, 10);
  // Of an own commit, too.
  await time.advance(100);
  wakeup.committed(0, { head: file.head });
  await turn();
  const before = file.looks;
  file.listener.onWrite();
  await turn();
  await turn();
  assertEquals(file.looks - before, 1);
});

Deno.test("the sweep finds changes without a notification", async () => {
  using time = new ManualTime();
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  one.wait(0);
  await time.advance(100_000);
  assertEquals(file.looks, 51);
  file.change("one");
  await time.advance(2_000);
  assertEquals(one.woken, 0);
});

Deno.test("it looks more often without notifications", async () => {
  using time = new ManualTime();
  const file = new FakeFile();
  const notAvailable = () => undefined;
  const wakeup = file.wakeup(notAvailable);
  using one = new Waiting(wakeup, "one");
  one.wait(0);
  await time.advance(1_000);
  assertEquals(file.looks, 11);
  file.change("one");
  await time.advance(100);
  assertEquals(one.woken, 0);
});

Deno.test("it looks more often when the notifier has ended", async () => {
  using time = new ManualTime();
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  one.wait(0);
  await time.advance(500);
  assertEquals(file.looks, 1);
  file.listener.onEnd();
  await time.advance(1_000);
  assertEquals(file.looks, 11);
});

// What is open meanwhile.

Deno.test("one notifier serves every watch, as long as they come back", async () => {
  const file = new FakeFile();
  const wakeup = file.wakeup();
  const watches = Array.from({ length: 100 }, () => new Waiting(wakeup, "one"));
  for (let round = 0; round < 10; round++) {
    const woken = watches.map((watch) => watch.wait(round));
    file.change("one");
    file.listener.onWrite();
    await Promise.all(woken);
  }
  assertEquals(file.notifiers.length, 1);
  for (const watch of watches.splice(0, 99)) watch.end();
  assert(file.notifiers[0].isOpen);
  watches[0].end();
  assert(!file.notifiers[0].isOpen);
});

Deno.test("the notifier closes when the woken watches do not come back", async () => {
  using time = new ManualTime();
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one");
  one.wait(0);
  file.change("one");
  file.listener.onWrite();
  await turn();
  assertEquals(one.woken, 0);
  assert(file.notifiers[0].isOpen);
  assertEquals(time.timers.map((timer) => timer.keepsRunning), [false]);
  await time.advance(time.timers[0].in);
  assert(!file.notifiers[0].isOpen);
  assertEquals(time.timers, []);
  // When they do, they find what they missed.
  file.change("one");
  assertEquals(await one.wait(1), 1);
  assertEquals(file.notifiers.length, 2);
});

Deno.test("a watch that is not persistent keeps nothing running", async () => {
  using time = new ManualTime();
  const file = new FakeFile();
  const wakeup = file.wakeup();
  using one = new Waiting(wakeup, "one", false);
  one.wait(0);
  assertEquals(file.notifiers, []);
  assertEquals(time.timers, [{ in: 100, keepsRunning: false }]);
  file.change("one");
  await time.advance(100);
  assertEquals(one.woken, 0);
  assertEquals(time.timers, []);

  // Beside one that is, it is told as that is.
  using other = new Waiting(wakeup, "other");
  one.wait(1);
  other.wait(1);
  await turn();
  assert(file.notifiers[0].isOpen);
  assertEquals(time.timers.map((timer) => timer.keepsRunning), [true]);
  file.change("one");
  file.listener.onWrite();
  await turn();
  assertEquals(one.woken, 1);
  one.wait(2);
  other.end();
  assert(!file.notifiers[0].isOpen);
  assertEquals(time.timers.map((timer) => timer.keepsRunning), [false]);
});

Deno.test("nothing runs when every watch has ended", async () => {
  using time = new ManualTime();
  const file = new FakeFile();
  const wakeup = file.wakeup();
  wakeup.committed(0, { head: file.head });
  assertEquals([file.looks, time.timers], [0, []]);
  using one = new Waiting(wakeup, "one");
  const woken = one.wait(7);
  await turn();
  file.listener.onWrite();
  one.end();
  assertEquals(await woken, 7);
  assert(!file.notifiers[0].isOpen);
  assertEquals(time.timers, []);
  const { looks } = file;
  wakeup.committed(0, { head: file.head });
  await turn();
  assertEquals(file.looks, looks);
  // And it is over for that watch.
  assertEquals(await one.wait(7), 7);
  assertEquals(file.notifiers.length, 1);
});
