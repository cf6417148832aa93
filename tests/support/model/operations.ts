/**
 * A store's operations as data, and how they are done on a store.
 *
 * @module
 */
import type {
  AtomicCondition,
  AtomicOperation,
  DeletedEntry,
  Entry,
  KeyRangeOptions,
  RangeOptions,
  Store,
  VersionConflictError,
  WriteCondition,
} from "../../../mod.ts";

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

/** Which keys. */
export interface Keys {
  prefix?: string;
  start?: string;
  startAfter?: string;
  end?: string;
}

/** Which entries; `odd` filters by value. */
export interface Range extends Keys {
  limit?: number;
  reverse?: boolean;
  odd?: true;
}

/** How long what is written lasts, in ms; see `lastingOf`. */
interface Expiring {
  expireIn?: number;
}

/** What `update`'s function does, and what it starts from. */
export interface Updating extends Expiring {
  /** What is added to `n`; `"refuse"` makes the function throw. */
  add: number | "refuse";
  by?: number;
  initial?: Value;
}

/** An entry's name. */
interface Named {
  kind: string;
  key: string;
}

/** A step of an atomic operation. */
export type Step =
  | { do: "check" } & Named & AtomicCondition
  | { do: "set"; value: Value } & Named & Expiring
  | { do: "update" } & Named & Updating
  | { do: "delete" } & Named;

/** What changes the store, or may. */
export type WriteOperation =
  | { do: "set"; value: Value } & Named & Expiring & WriteCondition
  | { do: "setAll"; kind: string; entries: [string, Value][] } & Expiring
  | { do: "update" } & Named & Updating & WriteCondition
  | { do: "delete" } & Named & WriteCondition
  | { do: "deleteAll"; kind: string; keys: Keys }
  | { do: "atomic"; steps: Step[] };

/** What only looks. */
export type ReadOperation =
  | { do: "get" | "entry" | "has" } & Named
  | { do: "getMany"; kind: string; keys: string[] }
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
export function updated(value: Value, { add, by }: Updating): Value {
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
  set: (store, { do: _, kind, key, value, ...options }, signal) =>
    store.set(kind, key, value, { ...options, signal }),
  setAll: (store, { kind, entries, expireIn }, signal) =>
    store.setAll(kind, entries, { expireIn, signal }),
  update: (store, operation, signal) => {
    const { do: _, kind, key, add: _add, by: _by, ...options } = operation;
    const fn = (value: Value) => updated(value, operation);
    return store.update(kind, key, fn, { ...options, signal });
  },
  delete: async (store, { do: _, kind, key, ...options }, signal) =>
    plain(await store.delete(kind, key, { ...options, signal })),
  deleteAll: (store, { kind, keys }, signal) =>
    store.deleteAll(kind, { ...keys satisfies KeyRangeOptions, signal }),
  async atomic(store, { steps }, signal) {
    const atomic = store.atomic();
    for (const step of steps) addStep(atomic, step);
    const result = await atomic.commit({ signal });
    return result.ok ? result : toOutcome(result.conflict);
  },
  get: (store, { kind, key }, signal) => store.get(kind, key, { signal }),
  entry: async (store, { kind, key }, signal) =>
    plain(await store.entry(kind, key, { signal })),
  has: (store, { kind, key }, signal) => store.has(kind, key, { signal }),
  getMany: async (store, { kind, keys }, signal) => [
    ...await store.getMany(kind, keys, { signal }),
  ],
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

function addStep(atomic: AtomicOperation<ModelKinds>, step: Step): void {
  switch (step.do) {
    case "check": {
      const { do: _, ...check } = step;
      atomic.check(check);
      break;
    }
    case "set": {
      const { kind, key, value, expireIn } = step;
      atomic.set(kind, key, value, { expireIn });
      break;
    }
    case "update": {
      const { kind, key, initial, expireIn } = step;
      const fn = (value: Value) => updated(value, step);
      atomic.update(kind, key, fn, { initial, expireIn });
      break;
    }
    case "delete":
      atomic.delete(step.kind, step.key);
  }
}

/** An expiry is a multiple of so many ms, and a little more, which makes it another each time. */
export const EXPIRY_STEP = 1_000 * 3_600_000;

/**
 * How long an entry lasts, in steps: what a model can tell of it, since a run
 * takes much less than half a step.
 */
export function lastingOf(ms: number): number {
  return Math.round(ms / EXPIRY_STEP);
}

/** An entry without its times, of which a model can tell how long it lasts. */
function plain(entry: Entry<Value> | DeletedEntry<Value> | undefined): unknown {
  if (!entry) return undefined;
  const { updatedAt, expiresAt, ...rest } = entry;
  if (!(updatedAt.getTime() > 0)) throw new Error(`updatedAt is ${updatedAt}`);
  if (!expiresAt) return rest;
  return { ...rest, lasts: lastingOf(expiresAt.getTime() - Date.now()) };
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
  const { name, condition, expected, actual, found } =
    error as VersionConflictError;
  if (condition === undefined) return { error: name };
  return { error: name, details: { condition, expected, actual, found } };
}
