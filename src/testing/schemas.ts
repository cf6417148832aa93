/**
 * Schemas written by hand, one for each way in which a store can be given one,
 * and the writes that are checked by them.
 *
 * @module
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Store } from "../contract/store.ts";
import type { Schema } from "../values/schemas/schema.ts";
import { turn } from "./reading.ts";

/** What a Standard Schema finds. */
export type Finding = StandardSchemaV1.Result<unknown>;

/** A Standard Schema that does what a function does. */
export function standardSchema(
  validate: (value: unknown) => Finding | Promise<Finding>,
): StandardSchemaV1 {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

/** What is wrong with a value that is no count. */
export const NO_COUNT = "Expected a count";

/** Takes integers from 0 on. */
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

/** Schemas that take a count, by what they are, and tell it at once. */
export const countSchemas: Readonly<Record<string, Schema>> = {
  "a Standard Schema": standardSchema(findCount),
  "a function": assertCount,
};

/** The same, of those that take their time. */
export const asyncCountSchemas: Readonly<Record<string, Schema>> = {
  "an asynchronous Standard Schema": standardSchema(findCountLater),
  "an asynchronous function": async (value: unknown) => {
    await turn();
    assertCount(value);
  },
};

/** Takes a text, and makes its length of it. */
export const lengthSchema: Schema = standardSchema((value) =>
  typeof value === "string"
    ? { value: value.length }
    : { issues: [{ message: "Expected a text" }] }
);

/** A schema that finds at once what it takes, but for the values that it holds up. */
export interface HoldingSchema {
  readonly schema: Schema;
  /** Takes what it held up. */
  take(): void;
  /** Refuses what it held up. */
  refuse(): void;
}

/** Holds up the values that are `held`. */
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

/** Schemas that take a count, and tell it at once or later. */
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
