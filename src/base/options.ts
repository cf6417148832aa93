/**
 * Reads options that plain JavaScript may pass. A misspelt option is an error:
 * if it were ignored, a setting would silently not apply.
 *
 * @module
 */
import { describe, quoteText } from "./messages.ts";

/**
 * Reads the value of one option, which is never `undefined`. Returns the value
 * to use, often the same one. Throws if the value is not valid.
 */
export type Reader<Value = unknown> = (
  action: string,
  name: string,
  value: unknown,
) => Value;

/** A reader for each option of an interface, and for no other. */
export type OptionsSpec<Options extends object> = {
  readonly [Name in keyof Required<Options>]: Reader;
};

/** The results of a spec's readers, for the options that were given. */
export type OptionsRead<Spec> = {
  readonly [Name in keyof Spec]?: Spec[Name] extends Reader<infer Value> ? Value
    : never;
};

const NOT_GIVEN = Object.freeze({});

/**
 * Copies the options. It reads and checks each one once, so later changes of
 * the object have no effect. `undefined` means "not given", for the object and
 * for each option. Throws a `TypeError` unless the options are an object that
 * has only options of the spec. The readers throw on wrong values, in their
 * order.
 */
export function readOptions<
  Options extends object,
  Spec extends OptionsSpec<Options>,
>(
  action: string,
  options: Options | undefined,
  spec: Spec,
): OptionsRead<Spec> {
  if (options === undefined) return NOT_GIVEN as OptionsRead<Spec>;
  const names = Object.keys(spec);
  assertNames(action, options, names);
  const given = options as Record<string, unknown>;
  const readers = spec as Record<string, Reader>;
  const read: Record<string, unknown> = {};
  for (const name of names) {
    const value = given[name];
    if (value !== undefined) read[name] = readers[name](action, name, value);
  }
  return read as OptionsRead<Spec>;
}

function assertNames(
  action: string,
  options: unknown,
  expected: readonly string[],
): void {
  if (!isRecord(options, expected)) {
    throw new TypeError(
      `Cannot ${action}: options must be an object, received ${
        describe(options)
      }`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!expected.includes(name)) {
      throw new TypeError(
        `Cannot ${action}: unknown option ${quoteText(name)}, expected ${
          quoteEach(expected)
        }`,
      );
    }
  }
}

/**
 * Whether a value is an object with named properties. A signal, a promise or a
 * `Map` is not: it would pass for an empty object, and be ignored. An instance
 * of a class may be one, with own or inherited properties.
 *
 * @param names The properties that the object may inherit.
 */
export function isRecord(
  value: unknown,
  names: readonly string[] = [],
): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Symbol.iterator in value) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype ||
    Object.keys(value).length > 0 || names.some((name) => name in value);
}

// The readers.

/** Accepts any value. The code that uses the value checks it. */
export function unchecked<Value>(): Reader<Value> {
  return (_action, _name, value) => value as Value;
}

/** Accepts a boolean; throws a `TypeError` for any other value. */
export const boolean: Reader<boolean> = (action, name, value) => {
  if (typeof value === "boolean") return value;
  throw wrongType(action, name, "a boolean", value);
};

/**
 * Accepts a function; throws a `TypeError` for any other value.
 *
 * @typeParam Func The type of the function, which cannot be checked at run
 * time.
 */
export function func<Func>(): Reader<Func> {
  return (action, name, value) => {
    if (typeof value === "function") return value as Func;
    throw wrongType(action, name, "a function", value);
  };
}

/** Accepts an `AbortSignal`; throws a `TypeError` for any other value. */
export const signal: Reader<AbortSignal> = (action, name, value) => {
  if (value instanceof AbortSignal) return value;
  throw wrongType(action, name, "an AbortSignal", value);
};

/**
 * Accepts a safe integer of at least `least`; throws a `RangeError` for any
 * other value.
 */
export function integerFrom(least: number): Reader<number> {
  return (action, name, value) => {
    if (Number.isSafeInteger(value) && (value as number) >= least) {
      return value as number;
    }
    throw new RangeError(
      `Cannot ${action}: "${name}" must be an integer of at least ${least}, received ${
        describe(value)
      }`,
    );
  };
}

/** Accepts one of the choices; throws a `TypeError` for any other value. */
export function oneOf<Choice extends string>(
  ...choices: readonly Choice[]
): Reader<Choice> {
  return (action, name, value) => {
    if (choices.includes(value as Choice)) return value as Choice;
    throw wrongType(action, name, `one of ${quoteEach(choices)}`, value);
  };
}

/**
 * Accepts an array, and returns the set of its items; throws a `TypeError` for
 * any other value.
 */
export function setOf<Item>(item: Reader<Item>): Reader<ReadonlySet<Item>> {
  return (action, name, value) => {
    if (!Array.isArray(value)) {
      throw wrongType(action, name, "an array", value);
    }
    return new Set(value.values().map((each) => item(action, name, each)));
  };
}

function wrongType(
  action: string,
  name: string,
  expected: string,
  received: unknown,
): TypeError {
  return new TypeError(
    `Cannot ${action}: "${name}" must be ${expected}, received ${
      describe(received)
    }`,
  );
}

function quoteEach(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
