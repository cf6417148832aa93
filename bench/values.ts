/**
 * What is written: JSON objects of an exact length, the same for every subject.
 *
 * @module
 */

/** A value. Two of another `seq` differ in nothing else, nor in length. */
export interface Value {
  readonly seq: number;
  readonly name: string;
  readonly [property: string]: unknown;
}

/** Values of one length. */
export interface Values {
  /** What the tables call the length. */
  readonly label: string;
  /** The length of the JSON, in bytes. */
  readonly bytes: number;
  /** The `n`th value. */
  of(n: number): Value;
}

/** Where `seq` begins, so that it has the same number of digits for long. */
const FIRST = 1_000_000;

/** A small object. */
export const SMALL: Values = valuesOf("90 B", 90);
/** A few dozen objects of the small length. */
export const MEDIUM: Values = valuesOf("4 KiB", 4 * 1024);
/** As much as Deno KV takes in one value. */
export const LARGE: Values = valuesOf("64 KiB", 64 * 1024);

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

function lengthOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).byteLength;
}
