/**
 * Schemas, as types: what checks a kind's values, and the types that follow
 * from it.
 *
 * @module
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";

/**
 * What checks the values of a kind: a Standard Schema, such as those of Zod,
 * Valibot and ArkType (https://standardschema.dev), or a function that throws
 * on a value that it refuses, or returns `false`. Any other result is not used;
 * a promise is waited for, and one of `false` refuses, too.
 *
 * @typeParam Input What may be written.
 * @typeParam Output What is stored, and read: what the schema makes of it.
 */
export type Schema<Input = unknown, Output = Input> =
  | StandardSchemaV1<Input, Output>
  | ((value: Input) => unknown);

/** A schema for each named kind, of whatever types. */
export type SchemasByKind = Readonly<
  Record<string, StandardSchemaV1 | ((value: never) => unknown)>
>;

/** What a kind's schema takes. */
export type SchemaInput<S> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferInput<S>
  : S extends (value: infer Value) => unknown ? Value
  : never;

/** What a kind's schema gives. */
export type SchemaOutput<S> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<S>
  : S extends (value: infer Value) => unknown ? Value
  : never;

/** From kind to what may be written. */
export type InputsOf<Schemas> = {
  [Kind in keyof Schemas]: SchemaInput<Schemas[Kind]>;
};

/** From kind to what is read. */
export type OutputsOf<Schemas> = {
  [Kind in keyof Schemas]: SchemaOutput<Schemas[Kind]>;
};
