/**
 * Time that a test moves.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** A timer that has not fired. */
interface Timer {
  at: number;
  keepsRunning: boolean;
  work(): void;
}

/** Stands in for the clocks and the timers until it is disposed of. A `new Date()` tells the real time. */
export class ManualTime implements Disposable {
  readonly #real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    now: performance.now,
    dateNow: Date.now,
    unrefTimer: Deno.unrefTimer,
    waitAsync: Atomics.waitAsync,
    notify: Atomics.notify,
  };
  readonly #timers = new Map<number, Timer>();
  #now = 0;
  /** What the clock of the day shows when no time has passed, in ms since 1970. */
  #start = Date.now();
  #lastId = 0;

  constructor() {
    const setTimeout = (work: () => void, ms = 0) => {
      this.#timers.set(++this.#lastId, {
        at: this.#now + ms,
        keepsRunning: true,
        work,
      });
      return this.#lastId;
    };
    globalThis.setTimeout =
      setTimeout as unknown as typeof globalThis.setTimeout;
    globalThis.clearTimeout = (id) => this.#timers.delete(id as number);
    performance.now = () => this.#now;
    Date.now = () => Math.floor(this.#start + this.#now);
    Deno.unrefTimer = (id) =>
      this.#timers.get(id as number)!.keepsRunning = false;
    this.#replaceWaits();
  }

  /** Those of background timers: each has a cell of its own. */
  #replaceWaits(): void {
    const ids = new Map<unknown, number>();
    const waitAsync = (cell: unknown, _i: number, _old: number, ms: number) => {
      const value = new Promise((resolve) => {
        const work = () => resolve("timed-out");
        ids.set(cell, ++this.#lastId);
        this.#timers.set(this.#lastId, {
          at: this.#now + ms,
          keepsRunning: false,
          work,
        });
      });
      return { async: true, value };
    };
    Atomics.waitAsync = waitAsync as unknown as typeof Atomics.waitAsync;
    Atomics.notify = (cell) => Number(this.#timers.delete(ids.get(cell)!));
  }

  /** When the timers fire, in ms from now, and whether each keeps the process running. */
  get timers(): { in: number; keepsRunning: boolean }[] {
    return [...this.#timers.values()].map(({ at, keepsRunning }) => ({
      in: at - this.#now,
      keepsRunning,
    }));
  }

  /** Sets the clock of the day forward, or back, in ms: no time passes. */
  jump(ms: number): void {
    this.#start += ms;
  }

  /** Lets time pass, in ms, with a turn of the event loop before, and after each timer that fires. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await turn();
    for (;;) {
      const [id, next] = [...this.#timers].sort((a, b) => a[1].at - b[1].at)
        .at(0) ?? [];
      if (id === undefined || next === undefined || next.at > until) break;
      this.#timers.delete(id);
      this.#now = next.at;
      next.work();
      await turn();
    }
    this.#now = until;
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#real.setTimeout;
    globalThis.clearTimeout = this.#real.clearTimeout;
    performance.now = this.#real.now;
    Date.now = this.#real.dateNow;
    Deno.unrefTimer = this.#real.unrefTimer;
    Atomics.waitAsync = this.#real.waitAsync;
    Atomics.notify = this.#real.notify;
  }
}

/** Stops the clock, and what is random in the pauses between two tries. */
export class FrozenTime extends ManualTime {
  readonly #random = Math.random;

  /** Stops it. */
  constructor() {
    super();
    Math.random = () => 0.5;
  }

  /** Lets time pass until something holds; fails where it never does. */
  async until(
    condition: () => boolean,
    pending: () => unknown,
  ): Promise<void> {
    for (let turns = 0; !condition(); turns++) {
      if (turns === 2_000) {
        throw new Error(`It hangs: ${JSON.stringify(pending())}`);
      }
      // Most things need no time, only a few turns of the event loop.
      await this.advance(turns % 4 === 3 ? 5 : 0);
    }
  }

  /** Lets both go on. */
  override [Symbol.dispose](): void {
    Math.random = this.#random;
    super[Symbol.dispose]();
  }
}

/** Passes a turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
