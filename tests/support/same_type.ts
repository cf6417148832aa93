/**
 * Compares types.
 *
 * @module
 */

/** Fails to compile unless both types are the same. */
export function assertSame<A, B>(
  ..._: (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
    ? []
    : [never]
): void {}
