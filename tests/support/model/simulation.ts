/**
 * Many random operations on a store, from several callers at once, with watches
 * that come and go: the results are compared with the model's, one by one, and
 * what the watches saw with its changes.
 *
 * Writes take effect in the order in which they are called (C3), whoever calls,
 * so the model is told of each when it is called, not when it settles. A read
 * sees those called before it, and may see some that were called after it.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, equal } from "@std/assert";
import { setImmediate } from "node:timers";
import { WatchOverflowError } from "../../../mod.ts";
import type { Random } from "../random.ts";
import { assertWatchGuarantees } from "../watches/watch_validators.ts";
import { Model } from "./model.ts";
import {
  type ModelStore,
  type Operation,
  type Outcome,
  perform,
} from "./operations.ts";
import {
  randomEntries,
  randomKind,
  randomRead,
  randomWrite,
} from "./random_operations.ts";
import { WatchConsumer } from "./watch_consumer.ts";

/** A simulation of a store. */
export interface SimulationOptions {
  /** Opens the store, again each time it was closed if it is `kept`. */
  readonly open: () => Promise<ModelStore>;
  /** Whether the contents are there again. */
  readonly kept: boolean;
  /** How many changes the store's log keeps. */
  readonly history: number;
  readonly operations: number;
  /** How many operations there are in a round: what a round's watches saw is checked at its end. @default {2_000} */
  readonly round?: number;
}

/** What was done. */
export interface SimulationReport {
  operations: number;
  /** Operations that settled with an error, as they should. */
  refused: number;
  /** Entries that expired. */
  expired: number;
  changes: number;
  watches: number;
  events: number;
  /** Watches that fell behind by more than `history`. */
  overflows: number;
  reopenings: number;
}

/** How many calls may be under way at once. */
const CALLERS = 40;
/** How many consumers watch at once. */
const CONSUMERS = 8;
/** How long an entry may outlive its expiry, in ms. */
const PATIENCE = 30_000;

/** Runs a simulation to its end; throws where the store and the model differ. */
export async function simulate(
  random: Random,
  options: SimulationOptions,
): Promise<SimulationReport> {
  await using simulation = new Simulation(random, options);
  return await simulation.run();
}

class Simulation implements AsyncDisposable {
  readonly #random: Random;
  readonly #options: SimulationOptions;
  readonly #model = new Model();
  readonly #report: SimulationReport = {
    operations: 0,
    refused: 0,
    expired: 0,
    changes: 0,
    watches: 0,
    events: 0,
    overflows: 0,
    reopenings: 0,
  };
  readonly #running = new Set<Promise<void>>();
  /** What may come of each read that is under way. */
  readonly #reads = new Map<Operation, Outcome[]>();
  #consumers: WatchConsumer[] = [];
  #store!: ModelStore;
  /** What went wrong first. */
  #failure: { error: unknown } | undefined;

  constructor(random: Random, options: SimulationOptions) {
    this.#random = random;
    this.#options = options;
  }

  async run(): Promise<SimulationReport> {
    const { open, kept, operations, round = 2_000 } = this.#options;
    this.#store = await open();
    while (this.#report.operations < operations) {
      const left = operations - this.#report.operations;
      await this.#runRound(Math.min(round, left));
      if (!kept || this.#random.chance(0.5)) continue;
      await this.#store.close();
      this.#store = await open();
      this.#report.reopenings++;
    }
    this.#report.changes = this.#model.revision;
    return this.#report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const consumer of this.#consumers) await consumer.cancel();
    await this.#store?.close();
  }

  async #runRound(operations: number): Promise<void> {
    for (let i = 0; i < operations; i++) {
      this.#call(this.#randomOperation());
      await this.#pause();
      if (this.#random.chance(0.02)) await this.#changeConsumers();
      if (this.#random.chance(0.005)) await this.#expireSome();
      if (this.#failure) throw this.#failure.error;
    }
    await Promise.all(this.#running);
    this.#call({ do: "getAll" });
    await Promise.all(this.#running);
    if (this.#failure) throw this.#failure.error;
    for (const consumer of this.#consumers.splice(0)) await this.#end(consumer);
    assertEquals(await this.#store.verify(), []);
    this.#model.forget();
  }

  #randomOperation(): Operation {
    const isRead = this.#random.chance(0.3);
    // Some values are told apart by the operation that wrote them, some are not.
    const by = this.#random.chance(0.5) ? this.#report.operations : undefined;
    if (isRead) return randomRead(this.#random);
    const revisionOf = this.#model.revisionOf.bind(this.#model);
    return randomWrite(this.#random, by, revisionOf);
  }

  // Operations.

  #call(operation: Operation): void {
    const number = this.#report.operations++;
    const { expected, actual } = this.#random.chance(0.03)
      ? this.#callAborted(operation)
      : this.#callInModel(operation);
    const settled = actual.then((outcome) => {
      const fitting = expected.find((each) => equal(each, outcome));
      const what = () => `operation ${number}, ${JSON.stringify(operation)}`;
      if (!fitting) assertEquals(outcome, expected[0], what());
      if ("error" in outcome) this.#report.refused++;
    }).catch((error) => {
      this.#failure ??= { error };
    }).finally(() => {
      this.#running.delete(settled);
      this.#reads.delete(operation);
    });
    this.#running.add(settled);
  }

  #callInModel(operation: Operation): Call {
    const { revision } = this.#model;
    const expected = [this.#model.apply(operation)];
    if (!isWrite(operation)) this.#reads.set(operation, expected);
    else if (this.#model.revision > revision) {
      for (const [read, outcomes] of this.#reads) {
        outcomes.push(this.#model.apply(read));
      }
    }
    return { expected, actual: perform(this.#store, operation) };
  }

  /** Aborts it before it is called, or before it has begun: it does nothing. */
  #callAborted(operation: Operation): Call {
    const controller = new AbortController();
    if (!isWrite(operation) || this.#random.chance(0.5)) controller.abort();
    const actual = perform(this.#store, operation, controller.signal);
    controller.abort();
    return { expected: [{ error: "AbortError" }], actual };
  }

  /**
   * Writes entries that expire while nothing else is done: then they are gone.
   * In which order they go is the store's to choose.
   */
  async #expireSome(): Promise<void> {
    await Promise.all(this.#running);
    const kind = randomKind(this.#random);
    const entries = randomEntries(this.#random, this.#report.operations++);
    const expireIn = this.#random.pick([0.1, 1, 5]);
    const deletions = this.#store.watch(kind, { types: ["delete"] })
      .getReader();
    const writing: Operation = { do: "setAll", kind, entries, expireIn };
    const { expected: [expected], actual } = this.#callInModel(writing);
    assertEquals(await actual, expected, JSON.stringify(writing));
    const giveUp = setTimeout(() => deletions.cancel(), PATIENCE);
    for (let left = new Set(keysOf(entries)).size; left > 0; left--) {
      const { value: event } = await deletions.read();
      assert(event?.type === "delete" && event.expired, "it did not expire");
      this.#model.expire(kind, event.key);
      assertEquals(event.revision, this.#model.revision);
      this.#report.expired++;
    }
    clearTimeout(giveUp);
    await deletions.cancel();
  }

  /** Lets some of what was called go on, or all, or nothing. */
  async #pause(): Promise<void> {
    const random = this.#random;
    if (random.chance(0.05)) await turn();
    if (random.chance(0.02)) await Promise.all(this.#running);
    while (this.#running.size >= CALLERS) await Promise.race(this.#running);
  }

  // Watches.

  async #changeConsumers(): Promise<void> {
    const random = this.#random;
    if (this.#consumers.length < CONSUMERS) {
      const consumer = new WatchConsumer(
        `consumer ${this.#report.watches++}`,
        random,
        () => this.#model.revision,
      );
      consumer.begin(this.#store);
      this.#consumers.push(consumer);
    } else if (random.chance(0.3)) {
      const [consumer] = this.#consumers.splice(random.below(CONSUMERS), 1);
      await this.#end(consumer);
    } else {
      const consumer = random.pick(this.#consumers);
      await consumer.resume(this.#store);
    }
    for (const consumer of this.#consumers) consumer.readSome();
  }

  /** Lets it see all there is, and checks what it saw. */
  async #end(consumer: WatchConsumer): Promise<void> {
    await Promise.all(this.#running);
    await consumer.finish(this.#model);
    const { watched, error, behind } = consumer;
    assertWatchGuarantees(this.#model, watched);
    for (const { items } of watched.sessions) {
      this.#report.events += items.length;
    }
    if (error === undefined) return;
    this.#report.overflows++;
    assert(error instanceof WatchOverflowError, `${watched.name}: ${error}`);
    // Else the log should still have held what it had yet to see.
    assertGreater(behind, this.#options.history, error.message);
  }
}

/** An operation that was called. */
interface Call {
  /** What may come of it. */
  readonly expected: readonly Outcome[];
  readonly actual: Promise<Outcome>;
}

function isWrite(operation: Operation): boolean {
  const writes = ["set", "setAll", "update", "delete", "deleteAll", "atomic"];
  return writes.includes(operation.do);
}

function keysOf(entries: readonly [string, unknown][]): string[] {
  return entries.map(([key]) => key);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
