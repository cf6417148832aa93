/**
 * Failures of SQLite, one at each call that the store makes of its driver:
 * every promise settles, with the right error, what was resolved is there and
 * what was rejected is not, and the store goes on.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  openStore,
  type SqliteStore,
  StoreError,
  StoreFullError,
} from "../../mod.ts";
import { SqlError } from "../../src/sqlite/driver/mod.ts";
import type { DriverChoice } from "../../src/sqlite/driver/load.ts";
import { HEAD_REVISION } from "../../src/sqlite/format/queries.ts";
import { ENTRIES_AT_ONCE } from "../../src/sqlite/storage/queries.ts";
import { type TestDriver, testOnEachDriver } from "../support/drivers.ts";
import {
  type Effect,
  failAt,
  failFrom,
  type Failure,
  type Fault,
  type FaultPlan,
  Faults,
  faultyDriver,
  type Step,
  TOLD_AS,
} from "../support/faults/faulty_driver.ts";
import { wrappedDriver } from "../support/faults/instrumented_driver.ts";
import { FrozenTime } from "../support/manual_time.ts";
import { Model } from "../support/model/model.ts";
import {
  equalsUnlessRefused,
  type ModelKinds,
  type Operation,
  REFUSED,
  type Value,
} from "../support/model/operations.ts";
import {
  readStored,
  RecordedWatch,
  Recorder,
  type Told,
} from "../support/model/recorder.ts";
import { ReusedDatabase } from "../support/reused_database.ts";
import { tempDir } from "../support/temp_dir.ts";

const HISTORY = 40;
const BUSY_TIMEOUT_MS = 1_000;
/** Of one operation, while the lock is refused: every 5 ms, of a few statements. */
const MOST_TRIES = 4 * BUSY_TIMEOUT_MS / 5;

/** A store in memory on a driver with faults, its model, and a log that is about to be pruned. */
interface Subject {
  readonly time: FrozenTime;
  readonly faults: Faults;
  readonly store: SqliteStore<ModelKinds>;
  readonly model: Model;
  readonly calls: Recorder;
}

async function subject(
  driver: DriverChoice,
  time: FrozenTime,
  equals?: typeof equalsUnlessRefused,
): Promise<Subject> {
  const faults = new Faults();
  const store = await openStore<ModelKinds>({
    path: ":memory:",
    driver: await faultyDriver(driver, faults),
    history: HISTORY,
    busyTimeout: BUSY_TIMEOUT_MS,
    equals,
  });
  faults.connection!.exec(`
    WITH RECURSIVE past (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM past LIMIT ${HISTORY})
    INSERT INTO zestor_changes (kind, key, type, version, value)
    SELECT 'past', 'p', 'update', n, '0' FROM past`);
  const model = new Model(HISTORY);
  const calls = new Recorder(store);
  await calls.call({
    do: "setAll",
    kind: "a",
    entries: [10, 20, 31, 40, 51].map((n, i) => [`${i + 1}`, { n }]),
  });
  return { time, faults, store, model, calls };
}

/**
 * Every operation, in parts: writes of several callers, which share
 * transactions, also with many entries; writes that have one of their own, also
 * as too many entries to share one; reads; and a watch that replays what
 * changes meanwhile.
 */
const SCENARIOS = { crowd, bulk, largeBulk, loners, reads, replay };
type Scenario = keyof typeof SCENARIOS;

async function crowd({ calls, time }: Subject): Promise<void> {
  calls.watch("a", { after: HISTORY });
  calls.call({ do: "set", kind: "a", key: "6", value: { n: 60 } });
  // What is called after it has the same transaction as what was before.
  calls.watch("a");
  for (const n of [11, 12]) {
    calls.call({ do: "set", kind: "a", key: "1", value: { n }, ifVersion: 1 });
  }
  calls.call({
    do: "setAll",
    kind: "b",
    entries: [["2", { n: 2 }], ["1", { n: 1 }]],
  });
  calls.call({ do: "update", kind: "a", key: "2", add: 1 });
  calls.call({ do: "update", kind: "a", key: "none", add: 1 });
  calls.call({
    do: "setAll",
    kind: "a",
    entries: [["1", { n: 13 }], ["3", REFUSED]],
  });
  calls.call({ do: "delete", kind: "a", key: "3", ifVersion: 1 });
  calls.call({
    do: "atomic",
    steps: [
      { do: "check", kind: "b", key: "1", version: 1 },
      { do: "set", kind: "a", key: "4", value: { n: 41 } },
      { do: "delete", kind: "b", key: "2" },
    ],
  });
  calls.call({
    do: "atomic",
    steps: [
      { do: "check", kind: "b", key: "1", version: 2 },
      { do: "set", kind: "a", key: "4", value: { n: 42 } },
    ],
  });
  calls.call({ do: "get", kind: "a", key: "6" });
  await settled(calls, time);
}

async function bulk({ calls, time }: Subject): Promise<void> {
  calls.call({ do: "set", kind: "a", key: "6", value: { n: 60 } });
  calls.call({
    do: "set",
    kind: "a",
    key: "1",
    value: { n: 11 },
    ifVersion: 1,
  });
  // With one statement, and the last two each with its own.
  await settled(calls, time, setMany(ENTRIES_AT_ONCE + 2));
}

async function largeBulk({ calls, time }: Subject): Promise<void> {
  await settled(calls, time, setMany(2 * ENTRIES_AT_ONCE));
}

function setMany(length: number): Operation {
  const entries = Array.from(
    { length },
    (_, n): [string, Value] => [`${100 + n}`, { n }],
  );
  return { do: "setAll", kind: "many", entries };
}

async function loners({ calls, time }: Subject): Promise<void> {
  calls.watch("b");
  const at = { kind: "b", key: "1" };
  await settled(calls, time, { do: "set", ...at, value: { n: 2 } });
  await settled(calls, time, { do: "update", ...at, add: 1 });
  await settled(calls, time, { do: "delete", ...at });
}

async function reads({ calls, time }: Subject): Promise<void> {
  calls.call({ do: "get", kind: "a", key: "1" });
  calls.call({ do: "entry", kind: "a", key: "1" });
  calls.call({ do: "list", kind: "a", range: {} });
  calls.call({ do: "list", kind: "a", range: { odd: true } });
  calls.call({ do: "keys", kind: "a", range: {} });
  calls.call({ do: "values", kind: "a", range: { odd: true } });
  calls.call({ do: "count", kind: "a", range: {} });
  calls.call({ do: "entries", kind: "a", range: {} });
  calls.call({ do: "kinds" });
  calls.call({ do: "getAll" });
  await settled(calls, time);
}

async function replay({ calls, time }: Subject): Promise<void> {
  calls.watch("a", { initial: true, bufferSize: 2 });
  calls.call({ do: "set", kind: "a", key: "1", value: { n: 11 } });
  await settled(calls, time, { do: "delete", kind: "a", key: "4" });
}

async function settled(
  calls: Recorder,
  time: FrozenTime,
  op?: Operation,
): Promise<void> {
  if (op) calls.call(op);
  await time.until(() => calls.pending.length === 0, () => calls.pending);
}

/** What came of a scenario. */
interface Run {
  readonly steps: readonly Step[];
  readonly injected: number;
  readonly calls: number;
  readonly told: readonly Told[];
}

/** Runs a scenario with faults, lifts them, and sees that all is well. */
async function run(
  driver: DriverChoice,
  scenario: Scenario,
  plan: FaultPlan = () => undefined,
): Promise<Run> {
  using time = new FrozenTime();
  // Values that are compared are written one by one.
  const equals = scenario === "crowd" ? equalsUnlessRefused : undefined;
  const it = await subject(driver, time, equals);
  const { faults, calls, store } = it;
  faults.inject(plan);
  await SCENARIOS[scenario](it);
  faults.lift();
  const told = await goesOn(it);
  await closes(store, time);
  assertEquals(faults.open, 0);
  return {
    steps: faults.steps,
    injected: faults.injected.length,
    calls: calls.length,
    told,
  };
}

/** Sees that the store goes on as if nothing had been, and holds all against the model. */
async function goesOn(
  { calls, faults, time, model }: Subject,
): Promise<readonly Told[]> {
  // The next write works.
  await settled(calls, time, {
    do: "atomic",
    steps: [
      { do: "set", kind: "a", key: "last", value: { n: 1 } },
      { do: "set", kind: "b", key: "last", value: { n: 1 } },
    ],
  });
  const stored = readStored(faults.connection!);
  const awaited = calls.awaited(stored);
  await time.until(
    () => awaited.every(([watch, revision]) => watch.hasSeen(revision)),
    () => awaited,
  );
  return calls.verify(model, stored);
}

async function closes(store: SqliteStore, time: FrozenTime): Promise<void> {
  let closed = false;
  const closing = store.close().then(() => closed = true);
  await time.until(() => closed, () => "close()");
  await closing;
}

/** A run of a scenario, and what is to hold of it. */
interface Trial {
  readonly scenario: Scenario;
  readonly name: string;
  readonly plan: FaultPlan;
  verify(run: Run): void;
}

/** Runs each scenario without faults, then as each trial says; tells of all that fail. */
async function tryEach(
  { name: driver }: TestDriver,
  trialsOf: (scenario: Scenario, clean: Run) => readonly Trial[],
): Promise<void> {
  using database = await ReusedDatabase.on(driver);
  const failed: Error[] = [];
  let count = 0;
  for (const scenario of Object.keys(SCENARIOS) as Scenario[]) {
    const clean = await run(database.driver, scenario);
    assertEquals(clean.told, []);
    for (const { name, plan, verify } of trialsOf(scenario, clean)) {
      count++;
      try {
        verify(await run(database.driver, scenario, plan));
      } catch (cause) {
        database.abandon();
        const { message } = cause as Error;
        failed.push(new Error(`${scenario}, ${name}: ${message}`, { cause }));
      }
    }
  }
  assertGreater(count, 0);
  if (failed.length === 0) return;
  const first = failed.slice(0, 5).map(({ message }) => message).join("\n");
  throw new Error(`${failed.length} of ${count} runs fail, first ${first}`, {
    cause: failed[0],
  });
}

function describeFault(
  { failure, effect }: Fault,
  { number, method, sql }: Step,
): string {
  const text = sql.replaceAll(/\s+/g, " ");
  return `${failure}, with ${effect} done, at ${number} (${method} ${text})`;
}

/**
 * How a step may fail. Full, I/O error and corrupt differ in nothing but the
 * class of what is told, so no step needs them all.
 */
function faultsOf({ number, method, transaction }: Step): Fault[] {
  const alike: Failure[] = ["full", "io", "corrupt"];
  const one = alike[number % 3];
  if (method === "prepare") alike.splice(0, 3, one);
  else alike.splice(number % 3, 1);
  const faults: Fault[] = [...alike, "busy" as const].map((failure) => ({
    failure,
    effect: "nothing",
  }));
  if (transaction && method !== "prepare") {
    const failure = number % 2 === 0 ? "full" : "io";
    faults.push({ failure, effect: "rollback" });
  }
  return faults;
}

/**
 * Whether a step's caller shares a transaction with one before, which began its
 * work in it too: who is first meets its failure alone.
 */
function isShared({ number, transaction }: Step, { steps }: Run): boolean {
  const second = steps.find(({ sql }) =>
    sql.startsWith("SELECT version FROM zestor_kv")
  );
  return transaction === "write" && second !== undefined &&
    number >= second.number;
}

function assertTold(
  { injected, told }: Run,
  { failure }: Fault,
  most: number,
): void {
  assertEquals(injected, 1);
  for (const { error } of told) assertEquals(error.code, TOLD_AS[failure]);
  if (told.length <= most) return;
  const messages = told.map(({ error }) => error.message);
  throw new Error(`It was told: ${messages.join("; ")}`);
}

testOnEachDriver(
  "a failure at any one call of the driver fails one operation at most",
  (driver) =>
    tryEach(
      driver,
      (scenario, clean) =>
        clean.steps.flatMap((step) =>
          faultsOf(step).map((fault) => ({
            scenario,
            name: describeFault(fault, step),
            plan: failAt(step.number, fault),
            verify(run) {
              // A lock is waited for, and who shares a transaction has another try.
              const isHelped = fault.failure === "busy" ||
                isShared(step, clean);
              assertTold(run, fault, isHelped ? 0 : 1);
            },
          }))
        ),
    ),
);

/** Fails a step, then the rollback that follows. */
function failWithRollback(
  failing: Step,
  fault: Fault,
  effect: Effect,
): FaultPlan {
  let isNext = false;
  return ({ number, method, sql }) => {
    if (number === failing.number) {
      isNext = sql !== "ROLLBACK";
      return fault;
    }
    if (!isNext || method === "prepare" || sql !== "ROLLBACK") return undefined;
    isNext = false;
    return { failure: "io", effect };
  };
}

testOnEachDriver(
  "a rollback that fails, too, is done before anything else",
  (driver) =>
    tryEach(
      driver,
      (scenario, clean) =>
        clean.steps.filter(({ transaction }) => transaction)
          .map((step) => {
            const fault: Fault = { failure: "io", effect: "nothing" };
            const effect = step.number % 2 === 0 ? "nothing" : "all";
            return {
              scenario,
              name: `${describeFault(fault, step)}; rollback, ${effect} done`,
              plan: failWithRollback(step, fault, effect),
              verify: ({ told }) =>
                assertLess(told.length, isShared(step, clean) ? 1 : 2),
            };
          }),
    ),
);

testOnEachDriver(
  "every caller gets a lasting failure, after few calls of the driver",
  (driver) => {
    const failures: Failure[] = ["busy", "full", "io", "corrupt"];
    return tryEach(
      driver,
      (scenario, { steps, calls }) =>
        failures.flatMap((failure) =>
          [0, 3, 20, 30].filter((first) => first < steps.length).flatMap((
            first,
          ) =>
            [first + 10, Infinity].map((last) => ({
              scenario,
              name: `${failure} from ${first} to ${last}`,
              plan: failFrom(first, { failure, effect: "nothing" }, last),
              verify({ told, injected, steps: { length } }) {
                assertGreater(injected, 0);
                for (const { error } of told) {
                  // Where the rollback fails too, that may be what is told.
                  assertMatch(
                    error.code,
                    new RegExp(`${TOLD_AS[failure]}|STORAGE|UNKNOWN_OUTCOME`),
                  );
                }
                const tries = failure === "busy" ? MOST_TRIES : 5;
                assertLess(length, steps.length + calls * tries);
              },
            }))
          )
        ),
    );
  },
);

testOnEachDriver(
  "while the disk is full, every write fails, and reads and watches go on",
  async ({ name }) => {
    const full: Fault = { failure: "full", effect: "rollback" };
    const isWrite = /^(INSERT INTO|UPDATE|DELETE FROM) zestor_kv/;
    const { told, injected } = await run(
      name,
      "crowd",
      ({ method, sql }) =>
        method === "run" && isWrite.test(sql) ? full : undefined,
    );
    const by = told.map(({ by, error }) => {
      assertInstanceOf(error, StoreFullError);
      return by instanceof RecordedWatch ? "watch" : by.do;
    });
    // Who had nothing to write has its answer.
    assertEquals(by.join(), "set,set,set,setAll,update,setAll,delete");
    assertGreater(injected, by.length);
  },
);

/** The errors of writes that all fail. */
async function rejections(
  time: FrozenTime,
  writes: readonly Promise<unknown>[],
): Promise<StoreError[]> {
  let outcomes: PromiseSettledResult<unknown>[] | undefined;
  Promise.allSettled(writes).then((all) => outcomes = all);
  await time.until(() => outcomes !== undefined, () => "the writes");
  return outcomes!.map((outcome) => {
    assert(outcome.status === "rejected");
    return outcome.reason;
  });
}

/** Fails each commit, after it took effect. */
const UNCLEAR_COMMIT: FaultPlan = ({ method, sql }) =>
  method === "run" && sql === "COMMIT"
    ? { failure: "io", effect: "all" }
    : undefined;

testOnEachDriver(
  "a commit that fails after it took effect is not done again",
  async ({ name }) => {
    using time = new FrozenTime();
    const { faults, store, calls } = await subject(name, time);
    const add = ({ n }: Value) => ({ n: n + 1 });
    const watch = calls.watch("a");
    faults.inject(UNCLEAR_COMMIT);
    const errors = await rejections(time, [
      store.set("a", "2", { n: 21 }, { ifVersion: 9 }),
      store.update("a", "1", add),
      store.update("a", "1", add),
    ]);
    faults.lift();
    // Who had failed without it has its own error.
    assertEquals(errors.map(({ code }) => code), [
      "VERSION_CONFLICT",
      "UNKNOWN_OUTCOME",
      "UNKNOWN_OUTCOME",
    ]);
    assertStringIncludes(errors[1].message, "read the entries again");
    assertEquals(await store.get("a", "1"), { n: 12 });
    // The watches are told of it, too.
    await time.until(() => watch.events.length === 2, () => watch.events);
    assertEquals(watch.events.map(({ value }) => value), [
      { n: 11 },
      { n: 12 },
    ]);
    await closes(store, time);
  },
);

testOnEachDriver(
  "C4 a refusal that rests on a write that may not be there is none",
  async ({ name }) => {
    using time = new FrozenTime();
    const { faults, store } = await subject(name, time);
    // The commit does nothing, and the look whether it did fails, too.
    faults.inject(({ sql }) =>
      sql === "COMMIT" ||
        (sql === HEAD_REVISION && faults.injected.length === 1)
        ? { failure: "io", effect: "nothing" }
        : undefined
    );
    const errors = await rejections(time, [
      store.set("a", "1", { n: 99 }),
      store.set("a", "1", { n: 100 }, { ifVersion: 1 }),
    ]);
    faults.lift();
    assertEquals(errors.map(({ code }) => code), [
      "UNKNOWN_OUTCOME",
      "UNKNOWN_OUTCOME",
    ]);
    assertEquals((await store.entry("a", "1"))?.version, 1);
    await closes(store, time);
  },
);

testOnEachDriver(
  "a commit that fails with no change to lose is done again for each alone",
  async ({ name }) => {
    using time = new FrozenTime();
    const it = await subject(name, time);
    const { faults, store, calls } = it;
    faults.inject((step) =>
      faults.injected.length === 0 ? UNCLEAR_COMMIT(step) : undefined
    );
    calls.call({ do: "set", kind: "a", key: "1", value: { n: 10 } });
    calls.call({ do: "set", kind: "a", key: "2", value: { n: 20 } });
    await settled(calls, time);
    faults.lift();
    assertEquals(faults.injected.length, 1);
    assertEquals(await goesOn(it), []);
    await closes(store, time);
  },
);

testOnEachDriver(
  "a wait for a lock that was given up does not shorten the next",
  async ({ name }) => {
    using time = new FrozenTime();
    const faults = new Faults();
    await using store = await openStore({
      path: ":memory:",
      driver: await faultyDriver(name, faults),
      busyTimeout: BUSY_TIMEOUT_MS,
    });
    const busy: Fault = { failure: "busy", effect: "nothing" };
    faults.inject(({ sql }) => sql === "BEGIN IMMEDIATE" ? busy : undefined);
    const controller = new AbortController();
    const aborted = store.set("k", "a", 1, { signal: controller.signal });
    await time.until(() => faults.injected.length > 2, () => "the lock");
    controller.abort();
    await assertRejects(() => aborted, DOMException);
    await time.advance(2 * BUSY_TIMEOUT_MS);
    // Its commit waits, in its transaction, as if there had been no wait before.
    let refusals = 3;
    faults.inject(({ sql }) =>
      sql === "COMMIT" && refusals-- > 0 ? busy : undefined
    );
    let runs = 0;
    let value: unknown;
    store.update("k", "a", () => ++runs, { initial: 0 })
      .then((result) => value = result.value);
    await time.until(() => value !== undefined, () => "the update");
    assertEquals(value, 1);
    faults.lift();
  },
);

testOnEachDriver(
  "a watch of a store that is read-only waits for a lock",
  async ({ name }) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using writer = await openStore({ path, driver: name, wal: false });
    for (let n = 1; n <= 5; n++) await writer.set("k", "a", n);
    const faults = new Faults();
    await using reader = await openStore({
      path: `file:${path}?mode=ro`,
      driver: await faultyDriver(name, faults),
      // A log that a writer would prune.
      history: 1,
    });
    faults.inject(failFrom(0, { failure: "busy", effect: "nothing" }, 3));
    const watches = [1, 2].map(() =>
      reader.watch("k", { initial: true })[Symbol.asyncIterator]()
    );
    for (const watch of watches) {
      assertEquals((await watch.next()).value?.key, "a");
      await watch.return?.();
    }
    assertEquals(faults.injected.length, 3);
  },
);

testOnEachDriver(
  "a store whose connection fails to close no longer has the file",
  async ({ name }) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    const driver = await wrappedDriver(name, ({ method }, carryOut) => {
      const result = carryOut();
      if (method === "close") throw new SqlError("io", "disk I/O error");
      return result;
    });
    const store = await openStore({ path, driver });
    const error = await assertRejects(() => store.close(), StoreError);
    assertEquals(error.code, "STORAGE");
    const another = { ...driver, name: "another" };
    const again = await openStore({ path, driver: another });
    await assertRejects(() => again.close(), StoreError);
  },
);
