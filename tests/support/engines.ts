/**
 * Engines, each with a queue, for tests of what every engine does below the
 * store: one in this process, in memory, and one whose entries are on a server.
 *
 * @module
 */
import type { Engine } from "../../src/engine/engine.ts";
import type { StoredChange } from "../../src/engine/entries.ts";
import type { Operation } from "../../src/engine/operation.ts";
import { Queue } from "../../src/engine/queue.ts";
import { ALL_KEYS } from "../../src/keys/key_range.ts";
import { LocalEngine } from "../../src/local/local_engine.ts";
import type { Storage } from "../../src/local/storage.ts";
import { openSilentNotifier } from "../../src/local/wakeup.ts";
import { MemoryStorage } from "../../src/memory/memory_storage.ts";
import { testOnEachDriver } from "./drivers.ts";
import { FrozenTime } from "./manual_time.ts";
import { ending } from "./remote/frozen_client.ts";
import { openClient } from "./remote/open_clients.ts";
import type { Result } from "./remote/operations.ts";
import { Server } from "./remote/server.ts";
import { openSqliteStorage } from "./sqlite_storage.ts";

/** An engine that a test writes to. */
export interface TestEngine {
  readonly engine: Engine;
  write(operation: Operation<Result>): Promise<Result>;
  /** Every change in the log, in order. */
  log(): Promise<StoredChange[]>;
}

/** How an engine is opened. */
export interface EngineOptions {
  /** How many changes the log keeps. @default {10_000} */
  readonly history?: number;
}

type Open = (history: number) => Promise<TestEngine>;

/** The engines whose clock is the test's, by name. */
const ENGINES: Record<string, Open> = {
  memory: (history) =>
    Promise.resolve(localEngine(new MemoryStorage(), history)),
  remote: async (history) => {
    const server = new Server({ history });
    const { engine, queue } = await openClient({ server, longest: 0 });
    return testEngine(engine, queue);
  },
};

/** The engine of a storage, without notifications of other writers. */
export function localEngine(storage: Storage, history = 10_000): TestEngine {
  const engine = new LocalEngine({
    storage,
    busyTimeout: 0,
    history,
    head: 0,
    openNotifier: openSilentNotifier,
  });
  return testEngine(engine, new Queue(engine, 0));
}

function testEngine(engine: Engine, queue: Queue): TestEngine {
  return {
    engine,
    write: (operation) => queue.write(operation),
    log: async () => {
      const all: StoredChange[] = [];
      const filter = { keys: ALL_KEYS, previous: true, times: true };
      for (let after = await engine.log.oldest() - 1;;) {
        const page = await engine.log.read(filter, after, 256);
        if (page.cursor === after) return all;
        all.push(...page.changes as StoredChange[]);
        after = page.cursor;
      }
    },
  };
}

/** Runs a test on each engine, and on SQLite's with each driver. */
export function testOnEachEngine(
  name: string,
  test: (engine: TestEngine) => Promise<void>,
  { history = 10_000 }: EngineOptions = {},
): void {
  const run = async (opening: Promise<TestEngine>) => {
    const engine = await opening;
    try {
      await test(engine);
    } finally {
      await engine.engine.close();
    }
  };
  for (const [engineName, open] of Object.entries(ENGINES)) {
    Deno.test(`${name} [${engineName}]`, () => run(open(history)));
  }
  testOnEachDriver(name, (driver) => {
    const opening = openSqliteStorage(driver)
      .then((storage) => localEngine(storage, history));
    return run(opening);
  });
}

/** Runs a test on each engine that has the test's clock, in time that stands still until the test lets it pass. */
export function testInTimeOnEachEngine(
  name: string,
  test: (
    engine: TestEngine,
    time: FrozenTime,
    end: <T>(promise: T | PromiseLike<T>) => Promise<T>,
  ) => Promise<void>,
): void {
  for (const [engineName, open] of Object.entries(ENGINES)) {
    Deno.test(`${name} [${engineName}]`, async () => {
      using time = new FrozenTime();
      const end = <T>(promise: T | PromiseLike<T>) =>
        ending(time, Promise.resolve(promise));
      const engine = await end(open(10_000));
      try {
        await test(engine, time, end);
      } finally {
        await end(engine.engine.close());
      }
      if (time.timers.length > 0) throw new Error("A timer is left");
    });
  }
}
