/**
 * A store's operations, made at random.
 *
 * @module
 */
import type { AtomicCondition, WriteCondition } from "../../../mod.ts";
import type { Random } from "../random.ts";
import {
  EXPIRY_STEP,
  type Keys,
  type Range,
  type ReadOperation,
  type Step,
  type Updating,
  type Value,
  type WriteOperation,
} from "./operations.ts";

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
  "deleteAll",
  "atomic",
  "atomic",
];
const READS: readonly ReadOperation["do"][] = [
  ...Array.from({ length: 8 }, () => "get" as const),
  ...Array.from({ length: 4 }, () => "entry" as const),
  "has",
  "has",
  "getMany",
  "list",
  "keys",
  "values",
  "count",
  "entries",
  "kinds",
  "getAll",
];

/** Which revision an entry has; 0 if there is none. */
export type RevisionOf = (kind: string, key: string) => number;

/**
 * Makes a write. `by` marks its values, so that each is another. Without
 * `revisionOf` it has no conditions on revisions: several writers do not know
 * them.
 */
export function randomWrite(
  random: Random,
  by?: number,
  revisionOf?: RevisionOf,
): WriteOperation {
  const kind = randomKind(random);
  const key = random.pick(KEYS);
  const kindOfWrite = random.pick(WRITES);
  switch (kindOfWrite) {
    case "set":
      return {
        do: "set",
        kind,
        key,
        value: randomValue(random, by),
        ...randomCondition(random, { kind, key }, revisionOf),
        ...randomExpiry(random),
      };
    case "setAll":
      return {
        do: "setAll",
        kind,
        entries: randomEntries(random, by),
        ...randomExpiry(random),
      };
    case "update":
      return {
        do: "update",
        kind,
        key,
        ...randomUpdating(random, by),
        ...randomCondition(random, { kind, key }, revisionOf),
      };
    case "delete":
      return {
        do: "delete",
        kind,
        key,
        ...randomCondition(random, { kind, key }, revisionOf),
      };
    case "deleteAll":
      return { do: "deleteAll", kind, keys: randomDeleted(random) };
    case "atomic":
      return { do: "atomic", steps: randomSteps(random, by, revisionOf) };
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
    case "has":
      return { do: kindOfRead, kind, key: random.pick(KEYS) };
    case "getMany":
      return { do: kindOfRead, kind, keys: randomKeyList(random) };
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

function randomExpiry(random: Random): { expireIn?: number } {
  if (random.chance(0.8)) return {};
  const steps = random.between(1, 5);
  return { expireIn: steps * EXPIRY_STEP + random.below(3_600_000) };
}

function randomUpdating(random: Random, by: number | undefined): Updating {
  return {
    add: random.chance(0.1) ? "refuse" : random.below(3),
    by,
    initial: random.chance(0.7) ? { n: 0 } : undefined,
    ...randomExpiry(random),
  };
}

function randomCondition(
  random: Random,
  { kind, key }: { kind: string; key: string },
  revisionOf: RevisionOf | undefined,
): WriteCondition {
  if (random.chance(0.85)) return {};
  if (!revisionOf || random.chance(0.5)) return { ifVersion: random.below(4) };
  return { ifRevision: randomRevision(random, revisionOf(kind, key)) };
}

/** Mostly the one that the entry has. */
function randomRevision(random: Random, revision: number): number {
  if (random.chance(0.7)) return revision;
  return random.chance(0.5) ? 0 : Math.max(0, revision - random.below(3));
}

function randomCheck(
  random: Random,
  { kind, key }: { kind: string; key: string },
  revisionOf: RevisionOf | undefined,
): AtomicCondition {
  if (random.chance(0.3)) return { exists: random.chance(0.5) };
  if (!revisionOf || random.chance(0.5)) return { version: random.below(3) };
  return { revision: randomRevision(random, revisionOf(kind, key)) };
}

/** Which keys to delete: seldom all. */
function randomDeleted(random: Random): Keys {
  if (random.chance(0.1)) return {};
  const prefix = random.pick(PREFIXES.filter((prefix) => prefix !== ""));
  return random.chance(0.7) ? { prefix } : { start: "b/", end: "c" };
}

function randomKeyList(random: Random): string[] {
  return Array.from({ length: random.below(12) }, () => random.pick(KEYS));
}

/** Entries for one write. */
export function randomEntries(random: Random, by?: number): [string, Value][] {
  const length = random.below(random.chance(0.05) ? 300 : SEVERAL);
  return Array.from({ length }, () => [
    length > SEVERAL ? `many/${random.below(80)}` : random.pick(KEYS),
    randomValue(random, by),
  ]);
}

function randomSteps(
  random: Random,
  by: number | undefined,
  revisionOf: RevisionOf | undefined,
): Step[] {
  return Array.from({ length: random.below(SEVERAL) }, (): Step => {
    const kind = randomKind(random);
    const key = random.pick(KEYS);
    if (random.chance(0.2)) {
      const condition = randomCheck(random, { kind, key }, revisionOf);
      return { do: "check", kind, key, ...condition };
    }
    if (random.chance(0.25)) return { do: "delete", kind, key };
    if (random.chance(0.25)) {
      return { do: "update", kind, key, ...randomUpdating(random, by) };
    }
    const value = randomValue(random, by);
    return { do: "set", kind, key, value, ...randomExpiry(random) };
  });
}

function randomRange(random: Random): Range {
  const range: Range = {};
  if (random.chance(0.6)) range.prefix = random.pick(PREFIXES);
  // Not both: the end may not be before the start.
  const bound = random.pick(["start", "startAfter", "end", undefined] as const);
  if (bound) range[bound] = random.pick(KEYS);
  if (random.chance(0.4)) range.limit = random.below(12);
  if (random.chance(0.4)) range.reverse = true;
  if (random.chance(0.3)) range.odd = true;
  return range;
}
