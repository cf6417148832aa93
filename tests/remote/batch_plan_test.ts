/**
 * The plan of a batch: what its decisions see, under which conditions they
 * count, and that all comes out as if the server itself had asked them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Operation } from "../../src/engine/operation.ts";
import type { Change, Check, Outcome, Write } from "../../src/engine/write.ts";
import { carryOut, ChangeError } from "../../src/local/carry_out.ts";
import { MemoryStorage } from "../../src/memory/memory_storage.ts";
import {
  type DecidedChange,
  decidedNames,
  outcomesUnknown,
  type PlannedWrite,
  planWrites,
  type RequestSize,
  type SeenEntry,
  takeWrites,
} from "../../src/remote/batch_plan.ts";
import { Random, withSeed } from "../support/random.ts";
import {
  atomic,
  bytesOf,
  decision,
  KIND,
  named,
  put,
  rangeRemoval,
  removal,
  type Result,
  textOf,
} from "../support/remote/operations.ts";
import { UNLIMITED, type WriteAnswer } from "../support/remote/protocol.ts";
import { ServerStorage } from "../support/remote/server_storage.ts";
import { ServerWrites } from "../support/remote/server_writes.ts";

const SIZE: RequestSize = { weight: 1_000, bytes: 1_000_000 };

/** What a server holds: texts, with version 1, and the revision 10. */
type Held = Record<string, string>;

const PAST = 1_000;
const FUTURE = 8_640_000_000_000_000;

/** Takes all writes. */
function take(writes: readonly Write[], size = SIZE) {
  const left = [...writes];
  return takeWrites({ next: () => left.shift() }, UNLIMITED, size);
}

function plan(held: Held, writes: readonly Write[], size = SIZE) {
  const taken = take(writes, size);
  const names = decidedNames(taken);
  const seen = names.map(({ key }): SeenEntry =>
    key in held
      ? { value: bytesOf(held[key]), version: 1, revision: 10 }
      : { value: undefined, version: 0, revision: 0 }
  );
  return planWrites(taken, names, seen, UNLIMITED, size);
}

/** A plan in short: its conditions, its changes, and its end. */
function brief({ decided }: PlannedWrite): string {
  const { seen, changes, end, time } = decided;
  const conditions = seen.map(({ key, value }) =>
    `${key} is ${textOf(value) ?? "nothing"}`
  );
  if (time) conditions.push("it is the right time");
  const makes = changes.map((change) => briefChange(change));
  const isIf = conditions.length > 0 ? `if ${conditions.join(", ")}: ` : "";
  return `${isIf}${[...makes, end].join(", ")}`;
}

function briefChange(change: DecidedChange): string {
  if ("range" in change) return "remove a range";
  const { key, next } = change;
  return typeof next === "object"
    ? `${key}=${textOf(next.value)}`
    : `${next} ${key}`;
}

function assertPlan(
  held: Held,
  writes: readonly Write[],
  expected: readonly string[],
): void {
  assertEquals(plan(held, writes).map(brief), expected);
}

/** A decision that writes what it saw, with a mark. */
const look = (key: string) =>
  decision(key, (value) => `${value ?? "nothing"}!`);

/** A decision that notes what it saw, and keeps it. */
function noting(saw: unknown[], key: string) {
  return decision(key, (value) => {
    saw.push(value);
    return "keep";
  });
}

const throwing = (key: string) =>
  decision(key, (value) => {
    throw new Error(`It saw ${value}`);
  });

const versionIs = (key: string, version: number): Check => ({
  ...named(key),
  version,
});

Deno.test("plan: a decision is a condition and a change", () =>
  assertPlan(
    { a: "1" },
    [atomic([look("a"), look("b"), put("c", "x")])],
    ["if a is 1, b is nothing: a=1!, b=nothing!, c=x, done"],
  ));

Deno.test("plan: a write without decisions has no conditions", () =>
  assertPlan(
    { a: "1" },
    [atomic([put("a", "2"), removal("b"), rangeRemoval()])],
    ["a=2, remove b, remove a range, done"],
  ));

Deno.test("plan: the results of a write itself are not conditions", () => {
  assertPlan(
    { a: "1", b: "1" },
    [
      atomic([put("a", "2"), look("a"), look("a")]),
      atomic([removal("b"), look("b")]),
    ],
    [
      "a=2, a=2!, a=2!!, done",
      "remove b, b=nothing!, done",
    ],
  );
});

Deno.test("plan: a condition is of the moment before the write, however often an entry is named", () =>
  assertPlan(
    { a: "1" },
    [atomic([
      decision("a", () => "keep"),
      look("a"),
      look("a"),
      removal("a"),
      look("a"),
    ])],
    ["if a is 1: keep a, a=1!, a=1!!, remove a, a=nothing!, done"],
  ));

Deno.test("plan: a write sees the results of earlier writes, as conditions", () =>
  assertPlan(
    { a: "1" },
    [
      atomic([look("a")]),
      atomic([look("a")]),
      atomic([removal("a")]),
      atomic([look("a")]),
      atomic([rangeRemoval()]),
      atomic([look("a")]),
    ],
    [
      "if a is 1: a=1!, done",
      "if a is 1!: a=1!!, done",
      "remove a, done",
      "if a is nothing: a=nothing!, done",
      "remove a range, done",
      "if a is nothing: a=nothing!, done",
    ],
  ));

Deno.test("plan: a range that was removed is nothing for the decisions behind it", () =>
  assertPlan(
    { a: "1", b: "1", c: "1" },
    [
      atomic([
        look("a"),
        put("x", "1"),
        rangeRemoval({
          lower: { key: "b", inclusive: true },
          upper: undefined,
        }),
        look("a"),
        look("b"),
        look("x"),
      ]),
      atomic([look("c")]),
    ],
    [
      "if a is 1: a=1!, x=1, remove a range, a=1!!, b=nothing!, x=nothing!, done",
      "if c is nothing: c=nothing!, done",
    ],
  ));

Deno.test("plan: a range of another kind takes nothing away", () =>
  assertPlan(
    { a: "1" },
    [atomic([{ ...rangeRemoval(), kind: "other" }, look("a")])],
    ["if a is 1: remove a range, a=1!, done"],
  ));

Deno.test("plan: a failing write has the conditions of its decisions, and no results", () => {
  const planned = plan({ a: "1" }, [
    atomic([look("a"), put("b", "2"), throwing("b"), look("c")]),
    atomic([look("a"), look("b")]),
  ]);
  assertEquals(planned.map(brief), [
    "if a is 1: fails",
    "if a is 1, b is nothing: a=1!, b=nothing!, done",
  ]);
  const { failure } = planned[0];
  assertEquals([`${failure?.error}`, failure?.at], ["Error: It saw 2", 2]);
});

Deno.test("plan: changes that cannot be read fail by themselves, under no condition", () => {
  const error = new Error("No more");
  const failing: Write = {
    ...atomic([], [versionIs("a", 7)]),
    *changes() {
      yield look("a");
      throw error;
    },
  };
  const planned = plan({ a: "1" }, [failing, atomic([look("a")])]);
  assertEquals(planned.map(brief), ["fails", "if a is 1: a=1!, done"]);
  assertEquals(planned[0].failure, { error });
  assertEquals(planned[0].decided.checks, []);
});

Deno.test("plan: if a check does not hold, no decision is asked, and the write is sent as stale", () => {
  const checks: Check[] = [
    versionIs("a", 2),
    versionIs("b", 1),
    { ...named("a"), revision: 9 },
    { ...named("a"), exists: false },
    { ...named("b"), exists: true },
  ];
  for (const check of checks) {
    const saw: unknown[] = [];
    const planned = plan({ a: "1" }, [
      atomic([noting(saw, "a"), put("c", "1")], [check]),
      atomic([look("a"), look("c")]),
    ]);
    assertEquals(planned.map(brief), [
      "stale",
      "if a is 1, c is nothing: a=1!, c=nothing!, done",
    ]);
    assertEquals(planned[0].decided.checks, [check]);
    assertEquals(saw, []);
  }
});

Deno.test("plan: if the checks hold, the decisions are asked", () => {
  const saw: unknown[] = [];
  const checks: Check[] = [
    versionIs("a", 1),
    versionIs("b", 0),
    { ...named("a"), revision: 10 },
    { ...named("a"), exists: true },
    { ...named("b"), exists: false },
  ];
  const planned = plan({ a: "1" }, [atomic([noting(saw, "a")], checks)]);
  assertEquals(planned.map(brief), ["if a is 1: keep a, done"]);
  assertEquals(planned[0].decided.checks, checks);
  assertEquals(saw, ["1"]);
});

Deno.test("plan: a write that decides, and whose check is of a version that the batch itself makes, is handed again", () => {
  const byVersion = [
    versionIs("a", 2),
    { ...named("a"), revision: 11 },
  ];
  for (const check of byVersion) {
    const saw: unknown[] = [];
    const planned = plan({ a: "1" }, [
      atomic([put("a", "2")]),
      atomic([put("b", "2")], [check]),
      atomic([noting(saw, "c")], [check]),
      atomic([look("a")]),
    ]);
    assertEquals(planned.map(brief), ["a=2, done", "b=2, done"]);
    assertEquals(saw, []);
  }
});

Deno.test("plan: a check knows the removals and puts of the batch", () => {
  const planned = plan({ a: "1", b: "1" }, [
    atomic([removal("a"), put("b", "2"), put("c", "2", PAST)]),
    atomic([look("d")], [
      versionIs("a", 0),
      { ...named("a"), revision: 0 },
      { ...named("b"), exists: true },
      versionIs("c", 0),
    ]),
    atomic([look("d")], [{ ...named("b"), exists: false }]),
    atomic([look("d")], [{ ...named("c"), exists: true }]),
  ]);
  assertEquals(planned.map(brief), [
    "remove a, b=2, c=2, done",
    "if d is nothing: d=nothing!, done",
    "stale",
    "stale",
  ]);
});

Deno.test("plan: an entry that has expired when it is put is gone at once", () =>
  assertPlan(
    { a: "1" },
    [atomic([put("a", "2", PAST)]), atomic([look("a")])],
    ["a=2, done", "if a is nothing: a=nothing!, done"],
  ));

Deno.test("plan: a decision on the write's own expiring put counts only at the right time", () => {
  const timeOf = (...changes: Change[]) =>
    plan({ a: "1" }, [atomic(changes)])[0].decided.time;
  assertEquals(timeOf(put("a", "2", FUTURE), look("a")), {
    from: -Infinity,
    until: FUTURE,
  });
  assertEquals(timeOf(put("a", "2", PAST), look("a")), {
    from: PAST,
    until: Infinity,
  });
  assertEquals(
    timeOf(
      put("a", "2", PAST),
      put("b", "2", PAST + 1),
      put("c", "2", FUTURE),
      put("d", "2", FUTURE - 1),
      ...["a", "b", "c", "d"].map(look),
    ),
    { from: PAST + 1, until: FUTURE - 1 },
  );
  // Nobody has looked, or what was seen does not depend on it.
  assertEquals(timeOf(put("a", "2", FUTURE)), undefined);
  assertEquals(timeOf(look("a"), put("a", "2", FUTURE)), undefined);
  assertEquals(
    timeOf(put("a", "2", FUTURE), put("a", "3"), look("a")),
    undefined,
  );
  assertEquals(
    timeOf(put("a", "2", PAST), put("a", "3", "keep"), look("a")),
    undefined,
  );
  assertEquals(
    timeOf(put("a", "2", PAST), rangeRemoval(), look("a")),
    undefined,
  );
  assertEquals(
    timeOf(put("a", "2", FUTURE), removal("a"), look("a")),
    undefined,
  );
});

Deno.test("plan: the names are those that decisions ask for, and those of their checks, each once", () => {
  const taken = take([
    atomic([put("a", "1"), look("b"), look("b")], [versionIs("c", 1)]),
    atomic([put("d", "1")], [versionIs("e", 1)]),
    atomic([look("b")], [versionIs("b", 1)]),
  ]);
  assertEquals(decidedNames(taken), [named("b"), named("c")]);
});

Deno.test("plan: a decision's bytes are its own, and those that it gives are kept", () => {
  const spoil = {
    ...named("a"),
    next: (bytes?: Uint8Array) => {
      bytes!.fill(0);
      return "keep" as const;
    },
  };
  assertPlan(
    { a: "1" },
    [atomic([spoil, look("a")]), atomic([spoil])],
    [
      "if a is 1: keep a, a=1!, done",
      "if a is 1!: keep a, done",
    ],
  );
});

Deno.test("plan: a request takes writes until it is full, and at least one", () => {
  const writes = [1, 2, 3].map((n) => atomic([put("a", "x".repeat(n * 10))]));
  const counts = [0, 1, 15, 30, 59, 60].map((bytes) =>
    plan({}, writes, { weight: 100, bytes }).length
  );
  assertEquals(counts, [1, 1, 1, 2, 2, 3]);
  const weights = [1, 2, 3, 4].map((weight) =>
    take(writes, { weight, bytes: 1 }).length
  );
  assertEquals(weights, [1, 2, 3, 3]);
  const saw: unknown[] = [];
  const conditions = plan(
    { a: "x".repeat(100) },
    [atomic([noting(saw, "a")]), atomic([noting(saw, "a")])],
    { weight: 100, bytes: 150 },
  );
  assertEquals(conditions.length, 1, "What was seen is sent, too");
});

Deno.test("plan: if nobody knows whether a batch arrived, only a write that may change something is unclear", () => {
  const cause = new Error("cut");
  const planned = plan({ a: "1" }, [
    atomic([put("a", "2")]),
    atomic([]),
    atomic([decision("a", () => "keep")]),
    atomic([throwing("a")]),
    atomic([look("a")], [{ ...named("a"), exists: false }]),
    atomic([decision("a", () => "remove")]),
    atomic([rangeRemoval()]),
  ]);
  const outcomes = outcomesUnknown(planned, cause, (action) => action);
  const failed: Outcome = { type: "failed", error: "commit" };
  const unclear: Outcome = { type: "unclear", error: cause };
  assertEquals(outcomes, [
    unclear,
    failed,
    failed,
    failed,
    failed,
    unclear,
    unclear,
  ]);
});

// Against the storage itself, which asks each decision at its place.

const KEYS = ["a", "b", "c"];
const IS_Z = new Error("It is z");

/** A storage, written to one write after the other: what a plan is to come to. */
class Reference {
  readonly storage = new MemoryStorage();

  write(write: Write): Outcome {
    const { storage } = this;
    storage.begin();
    try {
      const steps = carryOut(storage, write);
      for (;;) {
        const step = steps.next();
        if (!step.done) continue;
        storage.commit();
        return step.value;
      }
    } catch (error) {
      storage.rollBack();
      assert(error instanceof ChangeError);
      const { cause, at } = error;
      return { type: "failed", error: cause, at };
    }
  }
}

/** A server on which plans are carried out. */
class Planned {
  readonly storage = new ServerStorage();
  readonly #writes = new ServerWrites(
    this.storage,
    { history: 10_000, limits: UNLIMITED },
    () => {},
  );
  #batch = 0;
  /** How often a plan was out of date. */
  stale = 0;

  see(writes: readonly Write[]): SeenEntry[] {
    return decidedNames(take(writes)).map((name) => this.#writes.see(name));
  }

  /** Carries writes out; the first plan is made on what was seen before. */
  write(writes: readonly Write[], seen: readonly SeenEntry[]): Outcome[] {
    const outcomes: Outcome[] = [];
    for (let left = writes; left.length > 0;) {
      const taken = take(left);
      const names = decidedNames(taken);
      const planned = planWrites(taken, names, seen, UNLIMITED, SIZE);
      const answer = this.#writes.run({
        client: "c",
        batch: ++this.#batch,
        writes: structuredClone(planned.map(({ decided }) => decided)),
      });
      if (answer.writes.length < planned.length) this.stale++;
      for (const [i, each] of answer.writes.entries()) {
        outcomes.push(outcomeOf(planned[i], each));
      }
      left = left.slice(answer.writes.length);
      seen = this.see(left);
    }
    return outcomes;
  }
}

function outcomeOf(planned: PlannedWrite, answer: WriteAnswer): Outcome {
  switch (answer.type) {
    case "done":
      return answer;
    case "confirmed":
      return { type: "failed", ...planned.failure! };
    case "refused": {
      const check = planned.taken.write.checks[answer.check];
      return { type: "refused", check, found: answer.found };
    }
    case "failed":
      throw new Error(answer.failure.message);
  }
}

/** A write of a few checks and changes; notes whether it was asked. */
function randomWrite(random: Random): Operation<Result> & { asked: number } {
  const key = () => random.pick(KEYS);
  const text = () => random.pick(["x", "y", "z"]);
  const expiry = () =>
    random.pick([undefined, undefined, PAST, FUTURE, "keep" as const]);
  const write = {
    ...atomic(
      Array.from({ length: random.between(1, 4) }, () => randomChange()),
      Array.from({ length: random.pick([0, 0, 1, 2]) }, () => randomCheck()),
    ),
    asked: 0,
  };
  return write;

  function randomChange(): Change {
    const sort = random.below(10);
    if (sort < 2) return put(key(), text(), expiry());
    if (sort === 2) return removal(key());
    if (sort === 3) {
      const lower = { key: key(), inclusive: random.chance(0.5) };
      return rangeRemoval({ lower, upper: undefined });
    }
    const [kept, other, ending] = [text(), text(), expiry()];
    return decision(key(), (value) => {
      write.asked++;
      if (value === "z" && sort === 4) throw IS_Z;
      if (value === kept) return "keep";
      if (value === other) return "remove";
      const next = `${value ?? "none"}.${kept}`.slice(-6);
      return { value: bytesOf(next), expiresAt: ending };
    });
  }

  function randomCheck(): Check {
    const number = random.below(4);
    return random.pick<Check>([
      versionIs(key(), number),
      { ...named(key()), revision: number },
      { ...named(key()), exists: number % 2 === 0 },
    ]);
  }
}

/** The entries of `KIND`, but for their times. */
function entriesOf(storage: MemoryStorage): unknown[] {
  return KEYS.map((key) => {
    const entry = storage.getEntry(KIND, key);
    return entry && { ...entry, updatedAt: undefined };
  });
}

/** Outcomes, but for their times. */
function timeless(outcomes: readonly Outcome[]): unknown {
  return outcomes.map((outcome) =>
    outcome.type === "done"
      ? {
        ...outcome,
        effects: outcome.effects.map(({ removed, ...effect }) => ({
          ...effect,
          removed: removed && { ...removed, updatedAt: undefined },
        })),
      }
      : outcome
  );
}

Deno.test("plan: batches come out as if the server had asked each decision itself", () =>
  withSeed("plan", (random) => {
    let stale = 0;
    const types = new Set<string>();
    for (let round = 0; round < 2_000; round++) {
      const own = new Random(`${random.seed} ${round}`);
      const reference = new Reference();
      const server = new Planned();
      const writeBoth = (write: Write) => {
        reference.write(write);
        server.write([write], server.see([write]));
      };
      for (let n = own.below(5); n > 0; n--) writeBoth(randomWrite(own));
      const writes = Array.from(
        { length: own.between(1, 5) },
        () => randomWrite(own),
      );
      const seen = server.see(writes);
      const isOutOfDate = own.chance(0.5);
      if (isOutOfDate) writeBoth(randomWrite(own));
      server.stale = 0;
      for (const write of writes) write.asked = 0;
      const outcomes = server.write(writes, seen);
      for (const [i, { type }] of outcomes.entries()) {
        types.add(type);
        if (isOutOfDate || server.stale > 0 || type !== "refused") continue;
        assertEquals(writes[i].asked, 0, `round ${round}: it was asked`);
      }
      const expected = writes.map((write) => reference.write(write));
      assertEquals(timeless(outcomes), timeless(expected), `round ${round}`);
      assertEquals(
        entriesOf(server.storage),
        entriesOf(reference.storage),
        `round ${round}`,
      );
      stale += server.stale;
    }
    assert(stale > 100, `Only ${stale} plans were out of date`);
    assertEquals([...types].sort(), ["done", "failed", "refused"]);
  }));
