/**
 * The written values: JSON objects of an exact length, the same for every
 * subject.
 *
 * @module
 */

/** A value. Values that differ in `seq` have the same length. */
export interface Value {
  readonly seq: number;
  readonly name: string;
  readonly [property: string]: unknown;
}

/** Values of one length. */
export interface Values {
  /** The name of the length in the tables. */
  readonly label: string;
  /** The length of the JSON, in bytes. */
  readonly bytes: number;
  /** The `n`th value. It differs from others only in `seq`, unless the label says otherwise. */
  of(n: number): Value;
}

/** The first `seq`. It is so large that the number of digits stays the same for long. */
const FIRST = 1_000_000;

/** The number of versions of the items: a prime, so that a key's next value has another version. */
const VERSIONS = 7;

/** A small object. */
export const SMALL: Values = valuesOf("90 B", 90);
/** A few dozen objects of the small length. */
export const MEDIUM: Values = valuesOf("4 KiB", 4 * 1024);
/** As much as Deno KV takes in one value. */
export const LARGE: Values = valuesOf("64 KiB", 64 * 1024);
/**
 * The same, but every part differs between two values. If an update leaves a
 * page of a row unchanged, SQLite does not write that page. So a table without
 * a log writes very little for values that differ only in `seq`.
 */
export const LARGE_CHANGED: Values = changedThroughout(LARGE);

/** The key of the `n`th entry. */
export function keyOf(n: number): string {
  return `user:${String(n).padStart(7, "0")}`;
}

/** A prime: with `n * STRIDE % count` every key comes, none near the one before. */
export const STRIDE = 611_953;

/** The first entries, each with the value of its own number. */
export function entriesOf(values: Values, count: number): [string, Value][] {
  return Array.from({ length: count }, (_, n) => [keyOf(n), values.of(n)]);
}

function valuesOf(label: string, bytes: number): Values {
  const person = {
    email: "alice@example.com",
    active: true,
    age: 42,
  };
  const template: Value = { seq: FIRST, name: "", ...person };
  if (bytes > 1_000) {
    const item = { name: "Alice", ...person, score: 12.5 };
    const length = lengthOf(item) + 1;
    const count = Math.floor((bytes - 200) / length);
    Object.assign(template, {
      items: Array.from({ length: count }, () => ({ ...item })),
    });
  }
  const name = "Alice ".repeat(50).slice(0, bytes - lengthOf(template));
  return {
    label,
    bytes,
    of: (n) => ({ ...template, seq: FIRST + (n + FIRST) % FIRST, name }),
  };
}

function changedThroughout(values: Values): Values {
  const items = values.of(0).items as readonly { score: number }[];
  const versions = Array.from(
    { length: VERSIONS },
    (_, version) =>
      items.map((item, i) => ({ ...item, score: scoreOf(version, i) })),
  );
  return {
    ...values,
    label: `${values.label} changed throughout`,
    of: (n) => ({ ...values.of(n), items: versions[(n + FIRST) % VERSIONS] }),
  };
}

/** Four characters of JSON, as "12.5" has. */
function scoreOf(version: number, i: number): number {
  return 1_000 + (version * 1_301 + i * 101) % 9_000;
}

function lengthOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).byteLength;
}
