/**
 * The types of schemas, and the types that follow from them.
 *
 * @module
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ValueOf } from "../../contract/kinds.ts";

/**
 * A check of the values of a kind: a Standard Schema, such as those of Zod,
 * Valibot and ArkType (https://standardschema.dev), or a function that throws,
 * or returns `false`, for a value that it refuses. Other results of the
 * function are ignored. If it returns a promise, the store waits for it, and a
 * promise of `false` also refuses the value.
 *
 * @typeParam Input The type of the values to write.
 * @typeParam Output The type of the values that are stored and read: the
 * schema's output.
 */
export type Schema<Input = unknown, Output = Input> =
  | StandardSchemaV1<Input, Output>
  | ((value: Input) => unknown);

/** Schemas of any types, by kind. */
export type SchemasByKind = Readonly<
  Record<string, StandardSchemaV1 | ((value: never) => unknown)>
>;

/**
 * Schemas by kind. The output of each has the kind's type.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export type SchemasFor<Kinds extends object> = {
  readonly [Kind in keyof Kinds]?:
    | Schema<unknown, ValueOf<Kinds, Kind>>
    | ((value: ValueOf<Kinds, Kind>) => unknown);
};

/** The input type of a schema. */
export type SchemaInput<S> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferInput<S>
  : S extends (value: infer Value) => unknown ? Value
  : never;

/** The output type of a schema. */
export type SchemaOutput<S> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<S>
  : S extends (value: infer Value) => unknown ? Value
  : never;

/** From kind to the type of the values to write. */
export type InputsOf<Schemas> = {
  [Kind in keyof Schemas]: SchemaInput<Schemas[Kind]>;
};

/** From kind to the type of the values that are read. */
export type OutputsOf<Schemas> = {
  [Kind in keyof Schemas]: SchemaOutput<Schemas[Kind]>;
};

/**
 * From kind to the type of the values to write, if the kinds are given: the
 * input type of the kind's schema, or the kind's type if it has no schema.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Schemas The schemas of some of the kinds, or of all.
 */
export type InputsWith<Kinds, Schemas> = {
  [Kind in keyof Kinds]: Kind extends keyof Schemas
    ? SchemaInput<NonNullable<Schemas[Kind]>>
    : Kinds[Kind];
};

/**
 * The schemas, if each belongs to one of the kinds.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Schemas Schemas by kind.
 */
export type OnlyKinds<Kinds, Schemas> =
  & Schemas
  & Readonly<Record<Exclude<keyof Schemas, keyof Kinds>, never>>;
