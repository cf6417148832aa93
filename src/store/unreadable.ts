/**
 * Stored values that cannot be read: each is told of, or ends the read.
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

/** Is told of a value that cannot be read. */
export type OnUnreadable = UnreadableOptions["onUnreadable"];

/** Whether an error says that a stored value cannot be read. */
export function isUnreadable(
  error: unknown,
): error is CodecError | ValidationError {
  return error instanceof CodecError || error instanceof ValidationError;
}

/**
 * The revision of an entry whose value cannot be read. It is told beside the
 * error, so it is `undefined` if it cannot be read any more: then that error is
 * still the one to tell.
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

/** The error with the revision of the change whose value it is, if that is known. */
export function withRevision(
  error: CodecError | ValidationError,
  revision: number | undefined,
): CodecError | ValidationError {
  if (!(error instanceof CodecError) || revision === undefined) return error;
  const { message, cause, kind, key } = error;
  return new CodecError(message, { cause, kind, key, revision });
}

/** Tells of an error, or throws it: if nobody is told, or if it is another one. */
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
  // Nobody waits for it.
  answer.then(undefined, () => {});
  throw new TypeError(
    `Cannot go on past a value that cannot be read: "onUnreadable" returned a promise, and nobody waits for it; return nothing`,
    { cause: told },
  );
}

/** Tells of what is not as the engine keeps it. */
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

/** What is read of a change's value; `undefined` if it cannot be read, and that was told. */
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
