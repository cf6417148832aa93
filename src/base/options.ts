/**
 * Reads options as plain JavaScript may give them. A misspelt option is an
 * error: ignored, it would be a setting that silently does not hold.
 *
 * @module
 */
import { describe, quoteText } from "./messages.ts";

/**
 * Reads the value of one option, which is never `undefined`. It returns what
 * the store uses, often the value itself, or throws on what cannot be one.
 */
export type Reader<Value = unknown> = (
  action: string,
  name: string,
  value: unknown,
) => Value;

/** How each option of an interface is read: all of them, and no other. */
export type OptionsSpec<Options extends object> = {
  readonly [Name in keyof Required<Options>]: Reader;
};

/** What the readers of a spec returned, for the options that were given. */
export type OptionsRead<Spec> = {
  readonly [Name in keyof Spec]?: Spec[Name] extends Reader<infer Value> ? Value
    : never;
};

const NOT_GIVEN = Object.freeze({});

/**
 * A copy of the options, each read once and checked: a later change of the
 * object changes nothing. `undefined` means "not given", for the object and for
 * each option. Throws a `TypeError` unless the options are an object that has
 * only options of the spec; the readers throw on wrong values, in their order.
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
      `Cannot ${action}: options are an object, received ${describe(options)}`,
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
 * Whether something is an object to be looked at by property names. A signal, a
 * promise or a `Map` has none: it would pass for an empty object, and be
 * ignored. An instance of a class may have them, of its own or inherited.
 *
 * @param names Those that it may inherit.
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

/** Takes any value: the place that uses it checks it. */
export function unchecked<Value>(): Reader<Value> {
  return (_action, _name, value) => value as Value;
}

/** Takes a boolean; throws a `TypeError` for anything else. */
export const boolean: Reader<boolean> = (action, name, value) => {
  if (typeof value === "boolean") return value;
  throw wrongType(action, name, "a boolean", value);
};

/**
 * Takes a function; throws a `TypeError` for anything else.
 *
 * @typeParam Func How it is called, which cannot be checked.
 */
export function func<Func>(): Reader<Func> {
  return (action, name, value) => {
    if (typeof value === "function") return value as Func;
    throw wrongType(action, name, "a function", value);
  };
}

/** Takes an `AbortSignal`; throws a `TypeError` for anything else. */
export const signal: Reader<AbortSignal> = (action, name, value) => {
  if (value instanceof AbortSignal) return value;
  throw wrongType(action, name, "an AbortSignal", value);
};

/** Takes a safe integer from `least` on; throws a `RangeError` for anything else. */
export function integerFrom(least: number): Reader<number> {
  return (action, name, value) => {
    if (Number.isSafeInteger(value) && (value as number) >= least) {
      return value as number;
    }
    throw new RangeError(
      `Cannot ${action}: "${name}" is an integer from ${least} on, received ${
        describe(value)
      }`,
    );
  };
}

/** Takes one of the choices; throws a `TypeError` for anything else. */
export function oneOf<Choice extends string>(
  ...choices: readonly Choice[]
): Reader<Choice> {
  return (action, name, value) => {
    if (choices.includes(value as Choice)) return value as Choice;
    throw wrongType(action, name, `one of ${quoteEach(choices)}`, value);
  };
}

/** Takes an array, as a set of its items; throws a `TypeError` for anything else. */
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
    `Cannot ${action}: "${name}" is ${expected}, received ${
      describe(received)
    }`,
  );
}

function quoteEach(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
