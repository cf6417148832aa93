/**
 * Schemas, as types: what checks a kind's values, and the types that follow
 * from it.
 *
 * @module
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ValueOf } from "../../contract/kinds.ts";

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

/**
 * A schema for each kind that is to have one: what it gives is the kind's type.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export type SchemasFor<Kinds extends object> = {
  readonly [Kind in keyof Kinds]?:
    | Schema<unknown, ValueOf<Kinds, Kind>>
    | ((value: ValueOf<Kinds, Kind>) => unknown);
};

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

/**
 * From kind to what may be written, if the kinds are given: what the kind's
 * schema takes, or the kind's type if it has no schema.
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
 * The schemas, if all of them are of the kinds.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Schemas Schemas by kind.
 */
export type OnlyKinds<Kinds, Schemas> =
  & Schemas
  & Readonly<Record<Exclude<keyof Schemas, keyof Kinds>, never>>;
