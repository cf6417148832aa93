/**
 * A store's operations as data: made at random, and done on a store.
 *
 * @module
 */
import type { Entry, RangeOptions, Store } from "../../../mod.ts";
import type { Random } from "../random.ts";

/** What the operations write. */
export interface Value {
  /** Few different ones, so that some writes change nothing. */
  n: number;
  /** The operation that wrote it. */
  by?: number;
  padding?: string;
}

/** The kinds of a store of such values. */
export type ModelKinds = Record<string, Value>;

/** A store that the operations can be done on. */
export type ModelStore = Store<ModelKinds>;

/**
 * What a store whose `equals` is `equalsUnlessRefused` refuses as the next value
 * of an entry, and so in the middle of a `setAll`. The model knows it there and
 * of `update`.
 */
export const REFUSED: Value = { n: -1 };

/** Which entries; `odd` filters by value. */
export interface Range {
  prefix?: string;
  start?: string;
  end?: string;
  limit?: number;
  reverse?: boolean;
  odd?: true;
}

/** A step of an atomic operation. */
export type Step =
  | { do: "check"; kind: string; key: string; version: number }
  | { do: "set"; kind: string; key: string; value: Value }
  | { do: "delete"; kind: string; key: string };

/** What changes the store, or may. */
export type WriteOperation =
  | { do: "set"; kind: string; key: string; value: Value; ifVersion?: number }
  | { do: "setAll"; kind: string; entries: [string, Value][] }
  | {
    do: "update";
    kind: string;
    key: string;
    /** What is added to `n`; `"refuse"` makes the function throw. */
    add: number | "refuse";
    by?: number;
    initial?: Value;
  }
  | { do: "delete"; kind: string; key: string; ifVersion?: number }
  | { do: "atomic"; steps: Step[] };

/** What only looks. */
export type ReadOperation =
  | { do: "get" | "entry"; kind: string; key: string }
  | {
    do: "list" | "keys" | "values" | "count" | "entries";
    kind: string;
    range: Range;
  }
  | { do: "kinds" | "getAll" };

/** One operation. */
export type Operation = WriteOperation | ReadOperation;

/** What came of it, as plain data. */
export type Outcome =
  | { result: unknown }
  | { error: string; details?: unknown };

// Made at random.

/** Keys with common prefixes, on both sides of where UTF-16 and UTF-8 order differently. */
const KEYS = [
  ..."abcdefgh",
  ...Array.from({ length: 12 }, (_, i) => `a/${i}`),
  ...Array.from({ length: 6 }, (_, i) => `b/${"x".repeat(i)}`),
  "é",
  "\u{fffd}",
  "\u{10000}",
  "\u{1f600}/smile",
  "constructor",
  "__proto__",
];
const PREFIXES = ["", "a", "a/", "b/x", "\u{1f600}", "none"];
const SEVERAL = 6;

const WRITES: readonly WriteOperation["do"][] = [
  ...Array.from({ length: 6 }, () => "set" as const),
  "setAll",
  "update",
  "update",
  "delete",
  "delete",
  "atomic",
  "atomic",
];
const READS: readonly ReadOperation["do"][] = [
  ...Array.from({ length: 8 }, () => "get" as const),
  ...Array.from({ length: 4 }, () => "entry" as const),
  "list",
  "keys",
  "values",
  "count",
  "entries",
  "kinds",
  "getAll",
];

/** Makes a write. `by` marks its values, so that each is another. */
export function randomWrite(random: Random, by?: number): WriteOperation {
  const kind = randomKind(random);
  const key = random.pick(KEYS);
  const kindOfWrite = random.pick(WRITES);
  switch (kindOfWrite) {
    case "set": {
      const value = randomValue(random, by);
      return { do: "set", kind, key, value, ...randomCondition(random) };
    }
    case "setAll":
      return { do: "setAll", kind, entries: randomEntries(random, by) };
    case "update":
      return {
        do: "update",
        kind,
        key,
        add: random.chance(0.1) ? "refuse" : random.below(3),
        by,
        initial: random.chance(0.7) ? { n: 0 } : undefined,
      };
    case "delete":
      return { do: "delete", kind, key, ...randomCondition(random) };
    case "atomic":
      return { do: "atomic", steps: randomSteps(random, by) };
  }
}

/** The same write to kinds of a writer's own. */
export function ownWrite(
  operation: WriteOperation,
  writer: string,
): WriteOperation {
  return withKinds(operation, (kind) => `${writer}/${kind}`);
}

/** The same write to other kinds; of an atomic operation each step's is asked for. */
export function withKinds(
  operation: WriteOperation,
  other: (kind: string) => string,
): WriteOperation {
  const moved = <T extends { kind: string }>(step: T): T => ({
    ...step,
    kind: other(step.kind),
  });
  return operation.do === "atomic"
    ? { ...operation, steps: operation.steps.map(moved) }
    : moved(operation);
}

/** Makes a read. */
export function randomRead(random: Random): ReadOperation {
  const kind = randomKind(random);
  const kindOfRead = random.pick(READS);
  switch (kindOfRead) {
    case "get":
    case "entry":
      return { do: kindOfRead, kind, key: random.pick(KEYS) };
    case "kinds":
    case "getAll":
      return { do: kindOfRead };
    default:
      return { do: kindOfRead, kind, range: randomRange(random) };
  }
}

/** One of the kinds; one of them rarely. */
export function randomKind(random: Random): string {
  return random.chance(0.05) ? "rare" : random.pick(["users", "jobs"]);
}

/** Which keys a watch is of. */
export function randomKeys(random: Random): { key?: string; prefix?: string } {
  if (random.chance(0.2)) return { key: random.pick(KEYS) };
  return random.chance(0.3) ? { prefix: random.pick(PREFIXES) } : {};
}

function randomValue(random: Random, by: number | undefined): Value {
  const value: Value = { n: random.below(3) };
  if (by !== undefined) value.by = by;
  // Some fill pages of their own.
  if (random.chance(0.02)) value.padding = "x".repeat(random.below(10_000));
  return value;
}

function randomCondition(random: Random): { ifVersion?: number } {
  return random.chance(0.15) ? { ifVersion: random.below(4) } : {};
}

function randomEntries(random: Random, by?: number): [string, Value][] {
  const length = random.below(random.chance(0.05) ? 300 : SEVERAL);
  return Array.from({ length }, () => [
    length > SEVERAL ? `many/${random.below(80)}` : random.pick(KEYS),
    randomValue(random, by),
  ]);
}

function randomSteps(random: Random, by?: number): Step[] {
  return Array.from({ length: random.below(SEVERAL) }, (): Step => {
    const kind = randomKind(random);
    const key = random.pick(KEYS);
    if (random.chance(0.2)) {
      return { do: "check", kind, key, version: random.below(3) };
    }
    if (random.chance(0.25)) return { do: "delete", kind, key };
    return { do: "set", kind, key, value: randomValue(random, by) };
  });
}

function randomRange(random: Random): Range {
  const range: Range = {};
  if (random.chance(0.6)) range.prefix = random.pick(PREFIXES);
  // Not both: the end may not be before the start.
  const bound = random.pick(["start", "end", undefined] as const);
  if (bound) range[bound] = random.pick(KEYS);
  if (random.chance(0.4)) range.limit = random.below(12);
  if (random.chance(0.4)) range.reverse = true;
  if (random.chance(0.3)) range.odd = true;
  return range;
}

// Done on a store.

/** Does an operation; never rejects. */
export async function perform(
  store: ModelStore,
  operation: Operation,
  signal?: AbortSignal,
): Promise<Outcome> {
  try {
    return { result: await carryOut(store, operation, signal) };
  } catch (error) {
    return toOutcome(error);
  }
}

/** Does an operation, for those who tell one error from another. */
export async function carryOut(
  store: ModelStore,
  operation: Operation,
  signal?: AbortSignal,
): Promise<unknown> {
  const act = DO[operation.do] as Doing<Operation>;
  return await act(store, operation, signal);
}

/** What the caller's own functions throw where they are to refuse. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** What `update`'s function makes of a value. */
export function updated(
  value: Value,
  { add, by }: WriteOperation & { do: "update" },
): Value {
  if (add === "refuse") throw new Refusal();
  return by === undefined
    ? { ...value, n: value.n + add }
    : { ...value, n: value.n + add, by };
}

/** A store's `equals`: as without it, but for what it refuses. */
export function equalsUnlessRefused(
  _kind: string,
  previous: Value,
  next: Value,
): boolean {
  if (next.n === REFUSED.n) throw new Refusal();
  return JSON.stringify(previous) === JSON.stringify(next);
}

type Doing<Of> = (
  store: ModelStore,
  operation: Of,
  signal?: AbortSignal,
) => Promise<unknown>;

const DO: {
  [Name in Operation["do"]]: Doing<Operation & { do: Name }>;
} = {
  set: (store, { kind, key, value, ifVersion }, signal) =>
    store.set(kind, key, value, { ifVersion, signal }),
  setAll: (store, { kind, entries }, signal) =>
    store.setAll(kind, entries, { signal }),
  update: (store, operation, signal) =>
    store.update(
      operation.kind,
      operation.key,
      (value) => updated(value, operation),
      { initial: operation.initial, signal },
    ),
  delete: async (store, { kind, key, ifVersion }, signal) =>
    plain(await store.delete(kind, key, { ifVersion, signal })),
  async atomic(store, { steps }, signal) {
    const atomic = store.atomic();
    for (const step of steps) {
      if (step.do === "check") atomic.check(step);
      else if (step.do === "set") atomic.set(step.kind, step.key, step.value);
      else atomic.delete(step.kind, step.key);
    }
    const result = await atomic.commit({ signal });
    return result.ok ? result : toOutcome(result.conflict);
  },
  get: (store, { kind, key }, signal) => store.get(kind, key, { signal }),
  entry: async (store, { kind, key }, signal) =>
    plain(await store.entry(kind, key, { signal })),
  list: async (store, { kind, range }, signal) => [
    ...await store.list(kind, toOptions(range, signal)),
  ],
  keys: (store, { kind, range }, signal) =>
    store.keys(kind, toOptions(range, signal)),
  values: (store, { kind, range }, signal) =>
    store.values(kind, toOptions(range, signal)),
  count: (store, { kind, range }, signal) =>
    store.count(kind, toOptions(range, signal)),
  async entries(store, { kind, range }, signal) {
    const stream = store.entries(kind, toOptions(range, signal));
    return (await Array.fromAsync(stream)).map(plain);
  },
  kinds: (store, _, signal) => store.kinds({ signal }),
  getAll: async (store, _, signal) =>
    [...await store.getAll({ signal })].map(([kind, entries]) => [
      kind,
      [...entries],
    ]),
};

/** An entry without its time, which no model can tell. */
function plain(entry: Entry<Value> | undefined): unknown {
  if (!entry) return undefined;
  const { updatedAt, ...rest } = entry;
  if (!(updatedAt.getTime() > 0)) throw new Error(`updatedAt is ${updatedAt}`);
  return rest;
}

function toOptions(
  { odd, ...range }: Range,
  signal?: AbortSignal,
): RangeOptions<Value> {
  const where = odd && ((_: string, { n }: Value) => n % 2 === 1);
  return { ...range, where, signal };
}

/** What came of an operation that failed. */
export function toOutcome(error: unknown): Outcome {
  const { name, expected, actual } = error as Error & {
    expected?: number;
    actual?: number;
  };
  return expected === undefined
    ? { error: name }
    : { error: name, details: { expected, actual } };
}
