/**
 * The schemas of kinds.
 *
 * @module
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, quote, reasonOf } from "../../base/messages.ts";
import {
  ValidationError,
  type ValidationIssue,
} from "../../contract/errors.ts";
import { assertName } from "../../keys/names.ts";
import { isRecord } from "../../base/options.ts";
import { isPromise, type MaybePromise } from "../../base/promises.ts";
import type { Schema } from "./schema.ts";

/** The schemas of a store's kinds. */
export class KindSchemas {
  readonly #byKind: ReadonlyMap<string, Schema>;

  /** Takes the `schemas` option. Throws a `TypeError` if it is invalid. */
  constructor(option: unknown = {}) {
    if (!isRecord(option)) throw notSchemas(option);
    this.#byKind = new Map(Object.entries(option));
    for (const [kind, schema] of this.#byKind) {
      assertName("kind", kind);
      if (!isSchema(schema)) throw notSchemas(schema);
    }
  }

  /**
   * Calls `use` with the schema's output for a value, and returns the result; a
   * promise of it if the schema is asynchronous. Throws `ValidationError`, or
   * rejects with it.
   */
  validate<T>(
    kind: string,
    key: string,
    value: unknown,
    use: (valid: unknown) => T,
  ): MaybePromise<T> {
    const schema = this.#byKind.get(kind);
    if (schema === undefined) return use(value);
    return isStandard(schema)
      ? validateStandard(schema, kind, key, value, use)
      : validateByFunction(schema, kind, key, value, use);
  }
}

function validateStandard<T>(
  schema: StandardSchemaV1,
  kind: string,
  key: string,
  value: unknown,
  use: (valid: unknown) => T,
): MaybePromise<T> {
  const useOutput = (result: StandardSchemaV1.Result<unknown>) => {
    assertResult(kind, key, result);
    if (!result.issues) return use(result.value);
    throw new ValidationError(kind, key, result.issues.map(toIssue));
  };
  const result = schema["~standard"].validate(value);
  return isPromise(result)
    ? unheard(Promise.resolve(result).then(useOutput))
    : useOutput(result);
}

/** Throws a `TypeError` for an invalid result, which would say nothing about the value. */
function assertResult(kind: string, key: string, result: unknown): void {
  if (typeof result === "object" && result !== null) {
    if ("value" in result) return;
    if ("issues" in result && Array.isArray(result.issues)) return;
  }
  throw new TypeError(
    `Cannot validate ${
      quote(kind, key)
    }: a Standard Schema returns { value } or { issues }, received ${
      describe(result)
    }`,
  );
}

function validateByFunction<T>(
  schema: (value: unknown) => unknown,
  kind: string,
  key: string,
  value: unknown,
  use: (valid: unknown) => T,
): MaybePromise<T> {
  const refuse = (cause: unknown): never => {
    throw new ValidationError(kind, key, [{ message: reasonOf(cause) }], {
      cause,
    });
  };
  const accept = (answer: unknown) => {
    if (answer === false) refuse(new TypeError(FALSE_ANSWER));
  };
  let result: unknown;
  try {
    result = schema(value);
  } catch (cause) {
    refuse(cause);
  }
  if (!isPromise(result)) {
    accept(result);
    return use(value);
  }
  const checked = unheard(Promise.resolve(result).then(accept, refuse));
  // It runs now, before the caller can change the checked value.
  const used = use(value);
  return unheard(checked.then(() => used));
}

/** A schema that returns `false` most often means it; a schema that means "valid" returns nothing. */
const FALSE_ANSWER = "the schema returned false; throw an error that says why";

/** Returns the promise. If nobody waits for it, its failure is ignored. */
function unheard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "function" || isStandard(value);
}

// The schemas of some libraries are functions, too.
function isStandard(value: unknown): value is StandardSchemaV1 {
  const schema = value as Partial<StandardSchemaV1> | null | undefined;
  return typeof schema?.["~standard"]?.validate === "function";
}

function toIssue(
  { message, path }: StandardSchemaV1.Issue,
): ValidationIssue {
  return path
    ? {
      message,
      path: path.map((part) => typeof part === "object" ? part.key : part),
    }
    : { message };
}

function notSchemas(value: unknown): TypeError {
  return new TypeError(
    `Cannot open store: "schemas" must be an object of Standard Schemas, or of functions, by kind, received ${
      describe(value)
    }`,
  );
}
