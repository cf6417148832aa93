/**
 * Checks options as plain JavaScript may give them. A misspelt option is an
 * error: ignored, it would be a setting that silently does not hold.
 *
 * @module
 */
import { describe, quoteText } from "./messages.ts";

/**
 * A copy of the options, each read once: what is done with the object after the
 * call, or between two looks at it, changes nothing. Throws a `TypeError` unless
 * they are an object with only allowed properties.
 *
 * Of their values, it checks the signal alone.
 */
export function copyOptions<Options extends object>(
  action: string,
  options: Options | undefined,
  allowed: readonly string[],
): Partial<Options> {
  if (options === undefined) return {};
  assertNames(action, options, allowed);
  const copy: Record<string, unknown> = {};
  for (const name of allowed) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined) copy[name] = value;
  }
  assertSignal(action, copy.signal);
  return copy as Partial<Options>;
}

/** The same, of options that are read at once. */
export function assertOptions(
  action: string,
  options: object | undefined,
  allowed: readonly string[],
): void {
  copyOptions(action, options, allowed);
}

function assertNames(
  action: string,
  options: unknown,
  allowed: readonly string[],
): void {
  if (!isRecord(options, allowed)) {
    throw new TypeError(
      `Cannot ${action}: options are an object, received ${describe(options)}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!allowed.includes(name)) {
      throw new TypeError(
        `Cannot ${action}: unknown option ${quoteText(name)}, expected ${
          allowed.map((option) => `"${option}"`).join(", ")
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

function assertSignal(action: string, signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(
      `Cannot ${action}: "signal" is an AbortSignal, received ${
        describe(signal)
      }`,
    );
  }
}

/** Throws a `RangeError` unless the option is absent or a safe integer from `least` on. */
export function assertInteger(
  action: string,
  name: string,
  value: unknown,
  least: number,
): void {
  if (value === undefined) return;
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new RangeError(
      `Cannot ${action}: "${name}" is an integer from ${least} on, received ${
        describe(value)
      }`,
    );
  }
}

/** Throws a `TypeError` unless the option is absent or of the type. */
export function assertType(
  action: string,
  name: string,
  value: unknown,
  type: "boolean" | "function",
): void {
  if (value !== undefined && typeof value !== type) {
    throw new TypeError(
      `Cannot ${action}: "${name}" is a ${type}, received ${describe(value)}`,
    );
  }
}

/** Throws a `TypeError` unless the option is absent or one of the choices. */
export function assertChoice(
  action: string,
  name: string,
  value: unknown,
  choices: readonly string[],
): void {
  if (value !== undefined && !choices.includes(value as string)) {
    throw new TypeError(
      `Cannot ${action}: "${name}" is one of ${
        choices.map((choice) => `"${choice}"`).join(", ")
      }, received ${describe(value)}`,
    );
  }
}
