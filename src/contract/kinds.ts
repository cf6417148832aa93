/**
 * The kinds of a store, as types.
 *
 * @module
 */

/** The kinds of a store opened without a type: any name, values unknown. */
export type AnyKinds = Record<string, unknown>;

/** The names of the kinds in a map from kind to value type. */
export type KindOf<Kinds> = Extract<keyof Kinds, string>;
