/**
 * Stands in for `jsr:@std/assert` where JSR is not reachable: what the tests
 * use of it. Equality follows `@std/assert`, since `node:assert` tells apart
 * what it does not, such as `0` and `-0`, or objects with and without a
 * prototype (as the rows of `node:sqlite` are); `node:assert` shows the
 * difference.
 *
 * @module
 */
import { AssertionError as NodeAssertionError } from "node:assert";

// deno-lint-ignore no-explicit-any -- any class, as in instanceof
type Class<T = any> = abstract new (...args: any[]) => T;

/** What a failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

/** Passes if the value is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Passes if the value is falsy. */
export function assertFalse(
  expr: unknown,
  msg = "",
): asserts expr is false | 0 | 0n | "" | null | undefined {
  if (expr) throw new AssertionError(msg);
}

/** Passes if the values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  const difference = new NodeAssertionError({
    actual,
    expected,
    operator: "deepStrictEqual",
  });
  throw failure("Values are not equal", msg, difference.message);
}

/** Passes if the values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  throw failure(
    `Expected actual: ${show(actual)} not to be: ${show(expected)}`,
    msg,
  );
}

/** Passes if the values are one and the same. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const difference = new NodeAssertionError({
    actual,
    expected,
    operator: "strictEqual",
  });
  throw failure("Values are not strictly equal", msg, difference.message);
}

/** Passes if the values are not one and the same. */
export function assertNotStrictEquals<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (!Object.is(actual, expected)) return;
  throw failure(
    `Expected "actual" to not be strictly equal to: ${show(actual)}`,
    msg,
  );
}

/** Passes if the value is neither `null` nor `undefined`. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw failure(
    `Expected actual: "${actual}" to not be null or undefined`,
    msg,
  );
}

/** Passes if the value is of the class. */
export function assertInstanceOf<T extends Class>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  throw failure(
    `Expected object to be an instance of "${expectedType.name}" but was ${
      show(actual)
    }`,
    msg,
  );
}

/** Passes if the text matches. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  throw failure(`Expected actual: "${actual}" to match: "${expected}"`, msg);
}

/** Passes if the text has the other in it. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  throw failure(`Expected actual: "${actual}" to contain: "${expected}"`, msg);
}

/** Passes if `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  throw new AssertionError(msg ?? `Expect ${show(actual)} > ${show(expected)}`);
}

/** Passes if `actual >= expected`. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual >= expected) return;
  throw new AssertionError(
    msg ?? `Expect ${show(actual)} >= ${show(expected)}`,
  );
}

/** Passes if `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  throw new AssertionError(msg ?? `Expect ${show(actual)} < ${show(expected)}`);
}

/** Passes if `actual <= expected`. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual <= expected) return;
  throw new AssertionError(
    msg ?? `Expect ${show(actual)} <= ${show(expected)}`,
  );
}

/** Passes if the function throws, and returns what it throws. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Passes if the function throws such an error, and returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  ...expected: ExpectedError
): unknown {
  try {
    fn();
  } catch (error) {
    return checked(error, expected);
  }
  throw failure("Expected function to throw", ownMessage(expected));
}

/** Passes if the promise rejects, and resolves to what it rejects with. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Passes if the promise rejects with such an error, and resolves to it. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  ...expected: ExpectedError
): Promise<unknown> {
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch {
    // Reported below: a function that throws does not return a promise.
  }
  if (typeof promise?.then !== "function") {
    throw failure(
      "Function throws when expected to reject",
      ownMessage(expected),
    );
  }
  try {
    await promise;
  } catch (error) {
    return checked(error, expected);
  }
  throw failure("Expected function to reject", ownMessage(expected));
}

/** Whether the values are deeply equal. */
export function equal(
  a: unknown,
  b: unknown,
  seen: Map<unknown, unknown> = new Map(),
): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  if (a === null || b === null || prototype(a) !== prototype(b)) return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  const same = (x: unknown, y: unknown) => equal(x, y, seen);

  if (a instanceof Date) return same(a.getTime(), (b as Date).getTime());
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (a instanceof Uint8Array) {
    const bytes = b as Uint8Array;
    return a.length === bytes.length && a.every((x, i) => x === bytes[i]);
  }
  if (a instanceof ArrayBuffer) {
    return same(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  }
  if (a instanceof Set || a instanceof Map) {
    const left = [...a.entries()];
    const right = [...(b as typeof a).entries()];
    return left.length === right.length &&
      left.every((x) => right.some((y) => same(x, y)));
  }
  const keys = Reflect.ownKeys(a);
  return keys.length === Reflect.ownKeys(b).length &&
    keys.every((key) =>
      Object.hasOwn(b, key) &&
      same(a[key as keyof typeof a], b[key as keyof typeof b])
    );
}

/** An object without a prototype counts as a plain one. */
function prototype(value: object): object {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

/** Fails. */
export function fail(msg?: string): never {
  throw failure("Failed assertion", msg);
}

/** Fails, where control is not to come. */
export function unreachable(msg?: string): never {
  throw failure("Unreachable", msg);
}

/** What follows the function in `assertThrows()` and `assertRejects()`. */
type ExpectedError = [
  errorClassOrMsg?: Class<Error> | string,
  msgIncludes?: string,
  msg?: string,
];

function ownMessage([first, , msg]: ExpectedError): string | undefined {
  return typeof first === "string" ? first : msg;
}

function checked(error: unknown, expected: ExpectedError): unknown {
  const [ErrorClass, part] = expected;
  if (ErrorClass === undefined || typeof ErrorClass === "string") return error;
  const msg = ownMessage(expected);
  if (!(error instanceof Error)) {
    throw failure(`A non-Error object was thrown: ${show(error)}`, msg);
  }
  const { name } = error.constructor;
  if (!(error instanceof ErrorClass)) {
    throw failure(
      `Expected error to be instance of "${ErrorClass.name}", but was "${name}"`,
      msg,
    );
  }
  if (part && !error.message.includes(part)) {
    throw failure(
      `Expected error message to include ${JSON.stringify(part)}, but got ${
        JSON.stringify(error.message)
      }`,
      msg,
    );
  }
  return error;
}

function failure(what: string, msg?: string, detail?: string): AssertionError {
  const message = `${what}${msg ? `: ${msg}` : "."}`;
  return new AssertionError(detail ? `${message}\n${detail}` : message);
}

function show(value: unknown): string {
  return Deno.inspect(value);
}
