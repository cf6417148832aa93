/**
 * The kinds of a store, as types.
 *
 * A store of more kinds can be passed where one of fewer is wanted. So whatever
 * gives all kinds is a generic method: TypeScript does not compare the types
 * that those give. Else the kinds that are not wanted would be in the way.
 *
 * @module
 */

/** The kinds of a store opened without a type: any name, values unknown. */
export type AnyKinds = Record<string, unknown>;

/** The names of the kinds in a map from kind to value type. */
export type KindOf<Kinds> = keyof Kinds & string;

/**
 * The values of a kind. Those of an optional kind, `{ users?: User }`, are
 * `User` alone: a kind is always there, if empty.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Kind The kind.
 */
export type ValueOf<Kinds, Kind extends keyof Kinds> = Required<Kinds>[Kind];
