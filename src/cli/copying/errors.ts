/**
 * The failures of a copy of a store. They have a file of their own, because every
 * command loads them for its exit code.
 *
 * @module
 */

/** The target has an entry that the source does not have, or cannot hold an entry of the source. */
export class CannotCopyError extends Error {
  override readonly name = "CannotCopyError";
}

/** The target has changes that this copy did not write. */
export class TargetConflictError extends Error {
  override readonly name = "TargetConflictError";
}

/** The changes alone cannot make the target equal to the source. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
}
