/**
 * The kinds of a store, as types.
 *
 * You can pass a store of more kinds where a store of fewer kinds is expected.
 * For this, each operation that returns all kinds is a generic method:
 * TypeScript does not compare the results of generic methods, so the additional
 * kinds cause no error.
 *
 * @module
 */

/**
 * The kinds of a store that was opened without a type: any name, with `unknown`
 * values.
 */
export type AnyKinds = Record<string, unknown>;

/** The names of the kinds in a map from kind to value type. */
export type KindOf<Kinds> = keyof Kinds & string;

/**
 * The type of a kind's values. For an optional kind, `{ users?: User }`, it is
 * `User`, because a kind always exists, even if it has no entries.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Kind The kind.
 */
export type ValueOf<Kinds, Kind extends keyof Kinds> = Required<Kinds>[Kind];
