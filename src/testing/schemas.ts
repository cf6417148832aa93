/**
 * Handwritten schemas, one for each form that a store accepts, and the writes
 * that they check.
 *
 * @module
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Store } from "../contract/store.ts";
import type { Schema } from "../values/schemas/schema.ts";
import { turn } from "./reading.ts";

/** The result of a Standard Schema. */
export type Finding = StandardSchemaV1.Result<unknown>;

/** A Standard Schema that calls a function. */
export function standardSchema(
  validate: (value: unknown) => Finding | Promise<Finding>,
): StandardSchemaV1 {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

/** The message for a value that is not a count. */
export const NO_COUNT = "Expected a count";

/** Accepts integers of at least 0. */
export function findCount(value: unknown): Finding {
  return isCount(value) ? { value } : { issues: [{ message: NO_COUNT }] };
}

/** The same, some time later. */
export async function findCountLater(value: unknown): Promise<Finding> {
  await turn();
  return findCount(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function assertCount(value: unknown): void {
  if (!isCount(value)) throw new Error(NO_COUNT);
}

/** Synchronous schemas that accept a count, by description. */
export const countSchemas: Readonly<Record<string, Schema>> = {
  "a Standard Schema": standardSchema(findCount),
  "a function": assertCount,
};

/** The same, for asynchronous schemas. */
export const asyncCountSchemas: Readonly<Record<string, Schema>> = {
  "an asynchronous Standard Schema": standardSchema(findCountLater),
  "an asynchronous function": async (value: unknown) => {
    await turn();
    assertCount(value);
  },
};

/** Accepts a text, and returns its length. */
export const lengthSchema: Schema = standardSchema((value) =>
  typeof value === "string"
    ? { value: value.length }
    : { issues: [{ message: "Expected a text" }] }
);

/** A schema that answers at once, except for the values that it holds. */
export interface HoldingSchema {
  readonly schema: Schema;
  /** Accepts the held values. */
  take(): void;
  /** Refuses the held values. */
  refuse(): void;
}

/** Holds the value `held`. */
export function holdingSchema(held: unknown): HoldingSchema {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  return {
    schema: standardSchema((value) =>
      value === held
        ? promise.then((taken) =>
          taken ? { value } : { issues: [{ message: "Refused" }] }
        )
        : { value }
    ),
    take: () => resolve(true),
    refuse: () => resolve(false),
  };
}

/** Schemas that accept a count, synchronous and asynchronous ones. */
export const everySchema: Readonly<Record<string, Schema>> = {
  ...countSchemas,
  ...asyncCountSchemas,
};

/** The writes that can wait for a schema. */
export const patientWrites: Record<
  string,
  (store: Store, value: unknown, signal?: AbortSignal) => Promise<unknown>
> = {
  set: (store, value, signal) => store.set("users", "alice", value, { signal }),
  setAll: (store, value, signal) =>
    store.setAll("users", [["aaron", 1], ["alice", value], ["bob", 1]], {
      signal,
    }),
  atomic: (store, value, signal) =>
    store.atomic()
      .set("users", "aaron", 1)
      .set("users", "alice", value)
      .delete("users", "kept")
      .commit({ signal }),
};

/** Every write. */
export const everyWrite: typeof patientWrites = {
  ...patientWrites,
  update: (store, value, signal) =>
    store.update("users", "alice", () => value, { initial: 1, signal }),
  "atomic update": (store, value, signal) =>
    store.atomic()
      .set("users", "aaron", 1)
      .update("users", "alice", () => value, { initial: 1 })
      .delete("users", "kept")
      .commit({ signal }),
};
