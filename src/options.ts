/**
 * Checks options as plain JavaScript may give them. A misspelt option is an
 * error: ignored, it would be a setting that silently does not hold.
 *
 * @module
 */

/** Throws a `TypeError` unless `options` is an object with only allowed properties. */
export function assertOptions(
  action: string,
  options: unknown,
  allowed: readonly string[],
): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot ${action}: options are an object, received ${
        Deno.inspect(options)
      }`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!allowed.includes(name)) {
      throw new TypeError(
        `Cannot ${action}: unknown option "${name}", expected ${
          allowed.map((option) => `"${option}"`).join(", ")
        }`,
      );
    }
  }
  assertSignal(action, (options as { signal?: unknown }).signal);
}

function assertSignal(action: string, signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(
      `Cannot ${action}: "signal" is an AbortSignal, received ${
        Deno.inspect(signal)
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
        Deno.inspect(value)
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
      `Cannot ${action}: "${name}" is a ${type}, received ${
        Deno.inspect(value)
      }`,
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
      }, received ${Deno.inspect(value)}`,
    );
  }
}
