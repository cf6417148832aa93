/**
 * Handles stored values that cannot be read: each is reported, or ends the
 * read.
 *
 * @module
 */
import { isPromise, type MaybePromise } from "../base/promises.ts";
import {
  CodecError,
  type StoreError,
  ValidationError,
} from "../contract/errors.ts";
import type { UnreadableOptions } from "../contract/entry.ts";
import type { View } from "../engine/view.ts";

/** The function that gets a report of each unreadable value. */
export type OnUnreadable = UnreadableOptions["onUnreadable"];

/** Whether an error says that a stored value cannot be read. */
export function isUnreadable(
  error: unknown,
): error is CodecError | ValidationError {
  return error instanceof CodecError || error instanceof ValidationError;
}

/**
 * The revision of an entry whose value cannot be read; `undefined` if the
 * revision cannot be read either. The caller reports the first error in any
 * case.
 */
export async function revisionOf(
  view: Pick<View, "state">,
  kind: string,
  key: string,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  try {
    return (await view.state(kind, key, signal))?.revision;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

/**
 * The error with the revision of the change that has the value, if that is
 * known.
 */
export function withRevision(
  error: CodecError | ValidationError,
  revision: number | undefined,
): CodecError | ValidationError {
  if (!(error instanceof CodecError) || revision === undefined) return error;
  const { message, cause, kind, key } = error;
  return new CodecError(message, { cause, kind, key, revision });
}

/**
 * Reports an error. Throws it if there is no function to report it to, or if it
 * is another error.
 */
export function tell(
  error: unknown,
  revision: number | undefined,
  onUnreadable: OnUnreadable,
): undefined {
  if (!isUnreadable(error)) throw error;
  const told = withRevision(error, revision);
  if (!onUnreadable) throw told;
  const answer: unknown = onUnreadable(told);
  if (!isPromise(answer)) return undefined;
  // Nobody waits for this promise.
  answer.then(undefined, () => {});
  throw new TypeError(
    `Cannot go on past a value that cannot be read: "onUnreadable" returned a promise, and nobody waits for it; return nothing`,
    { cause: told },
  );
}

/** Reports invalid entries. */
export function tellProblems(
  kind: string,
  problems: readonly StoreError[],
  onUnreadable: OnUnreadable,
): void {
  for (const cause of problems) {
    const error = new CodecError(cause.message, { cause, kind });
    tell(error, undefined, onUnreadable);
  }
}

/**
 * Reads a change's value. Returns `undefined` if it cannot be read, and the
 * error was reported.
 */
export function readOrTell<T extends object>(
  read: () => MaybePromise<T>,
  revision: number,
  onUnreadable: OnUnreadable,
): MaybePromise<T | undefined> {
  const onError = (error: unknown) => tell(error, revision, onUnreadable);
  try {
    const item = read();
    return isPromise(item) ? item.then((it) => it, onError) : item;
  } catch (error) {
    return onError(error);
  }
}
