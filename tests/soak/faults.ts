/**
 * Several callers at once, with random operations and random failures of
 * SQLite; what is stored is held against what they were told.
 *
 * `deno task soak tests/soak/faults.ts --rounds=250 --operations=200 --probability=0.01 --driver=both`
 *
 * A round is a store of its own, in a file, with a write-ahead log or without.
 * In half of the rounds one failure in ten lasts for a while, and in half of
 * them all failures are alike.
 *
 * @module
 */
import { openStore, type StoreError } from "../../mod.ts";
import {
  type Effect,
  type Failure,
  type FaultPlan,
  Faults,
  faultyDriver,
  type Step,
  TOLD_AS,
} from "../support/faults/faulty_driver.ts";
import { Model } from "../support/model/model.ts";
import {
  equalsUnlessRefused,
  type ModelKinds,
  type Operation,
  REFUSED,
  type Value,
  type WriteOperation,
} from "../support/model/operations.ts";
import {
  randomRead,
  randomWrite,
  withKinds,
} from "../support/model/random_operations.ts";
import { readStored, Recorder } from "../support/model/recorder.ts";
import { Random } from "../support/random.ts";
import { tempDirInMemory } from "../support/temp_dir.ts";
import { readFlags } from "./flags.ts";

const CALLERS = 4;
const FAILURES: readonly Failure[] = ["busy", "full", "io", "corrupt"];
/** How long to go on until a watch has seen everything, in ms. */
const PATIENCE_MS = 30_000;

const flags = readFlags({
  rounds: 250,
  operations: 200,
  probability: 0.01,
  driver: "both",
});
const choices =
  (flags.driver === "both" ? ["builtin", "ffi"] : [flags.driver]) as (
    | "builtin"
    | "ffi"
  )[];

const counts: Record<string, number> = {
  operations: 0,
  told: 0,
  watches: 0,
  "watches that were told": 0,
};

await using dir = await tempDirInMemory();
for (const choice of choices) {
  for (let number = 0; number < flags.rounds; number++) {
    await round(choice, number);
  }
}
console.log(counts);

function count(name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}

async function round(driver: "builtin" | "ffi", number: number): Promise<void> {
  const random = new Random(`${flags.seed}/${driver}/${number}`);
  const path = dir.file(`${driver}-${number}.db`);
  const faults = new Faults();
  const store = await openStore<ModelKinds>({
    path,
    driver: await faultyDriver(driver, faults),
    durability: "normal",
    wal: random.chance(0.5),
    busyTimeout: 50,
    equals: equalsUnlessRefused,
  });
  try {
    const calls = new Recorder(store);
    faults.inject(randomFaults(random));
    const callers = Array.from(
      { length: CALLERS },
      (_, i) => caller(calls, `own${i}`, random),
    );
    await Promise.all(callers);
    faults.lift();
    await verify(calls, faults);
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`Round ${number} on ${driver}: ${message}`, { cause });
  } finally {
    faults.lift();
    await store.close();
  }
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    await Deno.remove(file).catch(() => {});
  }
}

/** Fails some calls of the driver, a few of them with those that follow. */
function randomFaults(random: Random): FaultPlan {
  const lasts = random.chance(0.5);
  // Where there is but one, callers must be told of that one only.
  const failures = random.chance(0.5) ? FAILURES : [random.pick(FAILURES)];
  let until = 0;
  let failure = failures[0];
  return (step) => {
    const goesOn = step.number < until;
    if (!goesOn) {
      if (!random.chance(flags.probability)) return undefined;
      failure = random.pick(failures);
      if (lasts && random.chance(0.1)) {
        until = step.number + random.between(2, 60);
      }
    }
    const effect = effectOf(random, step, failure);
    return { failure, effect };
  };
}

function effectOf(
  random: Random,
  { method, sql, transaction }: Step,
  failure: Failure,
): Effect {
  const rollsBack = failure === "full" || failure === "io";
  if (method === "prepare" || !rollsBack) return "nothing";
  if (sql === "ROLLBACK") return random.pick(["nothing", "all"]);
  return transaction ? random.pick(["nothing", "rollback"]) : "nothing";
}

/** Calls operations: writes on what all share and on what is its own, reads on the latter. */
async function caller(
  calls: Recorder,
  own: string,
  random: Random,
): Promise<void> {
  let left = flags.operations / CALLERS;
  while (left > 0) {
    if (random.chance(0.03)) {
      calls.watch(random.pick([own, "shared"]), {
        initial: random.chance(0.5),
        bufferSize: random.between(1, 4),
      });
    }
    const writes = Array.from(
      { length: random.between(1, 6) },
      (_, i) => randomWriteTo(random, [own, "shared"], left + i),
    );
    // In one turn, so that they share a transaction, with the others' too.
    await Promise.all(writes.map((write) => calls.call(write)));
    await calls.call(randomReadOf(random, own));
    left -= writes.length + 1;
  }
}

/** A write to kinds that a random choice takes place of; some of `setAll` are refused. */
function randomWriteTo(
  random: Random,
  kinds: readonly string[],
  by: number,
): WriteOperation {
  const write = withKinds(
    // Some values are told apart by the write, some are not.
    randomWrite(random, random.chance(0.5) ? by : undefined),
    () => random.pick(kinds),
  );
  if (write.do !== "setAll" || !random.chance(0.2)) return write;
  const entries = write.entries.map(([key, value]): [string, Value] => [
    key,
    random.chance(0.2) ? REFUSED : value,
  ]);
  return { ...write, entries };
}

/** A read of one kind. */
function randomReadOf(random: Random, kind: string): Operation {
  for (;;) {
    const read = randomRead(random);
    if ("kind" in read) return { ...read, kind };
  }
}

async function verify(
  calls: Recorder,
  faults: Faults,
): Promise<void> {
  const connection = faults.connection!;
  for (const watch of calls.watches) {
    await calls.call({
      do: "set",
      kind: watch.kind,
      key: "last",
      value: { n: calls.length },
    });
  }
  // A rollback that failed is done before whatever comes next.
  await calls.call({ do: "get", kind: "shared", key: "last" });
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const stored = readStored(connection);
  for (const [watch, revision] of calls.awaited(stored)) {
    await Promise.race([watch.seen(revision), aborted(signal)]);
  }
  const told = calls.verify(new Model(), stored);
  const injected = new Set(
    faults.injected.map(({ failure }) => TOLD_AS[failure]),
  );
  for (const { error } of told) {
    if (!injected.has(error.code) && !isUnclear(error)) {
      throw new Error(`Nobody injected ${error}`);
    }
  }
  for (const { failure, effect } of faults.injected) {
    count(`${failure}, ${effect} done`);
  }
  count("operations", calls.length);
  count("told", told.length);
  count("watches", calls.watches.length);
  count(
    "watches that were told",
    calls.watches.filter(({ error }) => error).length,
  );
}

/** Whether a commit failed, of which nobody knows what it did: with any failure. */
function isUnclear({ code }: StoreError): boolean {
  return code === "UNKNOWN_OUTCOME";
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener(
      "abort",
      () => reject(new Error("A watch does not see what was written")),
    )
  );
}
