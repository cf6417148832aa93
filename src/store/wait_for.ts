/**
 * Waiting until an entry has a value.
 *
 * @module
 */
import { describe, quote } from "../base/messages.ts";
import { type OptionsSpec, readOptions, signal } from "../base/options.ts";
import { sleep } from "../base/slice.ts";
import { StoreClosedError, WatchOverflowError } from "../contract/errors.ts";
import type {
  WaitForOptions,
  WatchEvent,
  WatchOptions,
} from "../contract/mod.ts";
import { assertEntryName } from "../keys/names.ts";
import { Backoff } from "../remote/backoff.ts";
import { onUnreadable } from "./options.ts";

const WAIT_FOR = {
  onUnreadable,
  signal,
} satisfies OptionsSpec<WaitForOptions>;

/** The arguments of `waitFor`. */
export interface WaitedFor<T> {
  readonly kind: string;
  readonly key: string;
  readonly predicate?: (value: T) => boolean;
  readonly options?: WaitForOptions;
}

/**
 * The first value of an entry, now or later, for which the predicate returns
 * true.
 */
export async function waitFor<T>(
  watch: (options: WatchOptions) => ReadableStream<WatchEvent<T>>,
  { kind, key, predicate, options }: WaitedFor<T>,
): Promise<T> {
  const given = readOptions("waitFor", options, WAIT_FOR);
  assertEntryName(kind, key);
  assertPredicate(kind, key, predicate);
  const { signal } = given;
  const watching = { ...given, key, initial: true };
  const pauses = new Backoff();
  for (;;) {
    signal?.throwIfAborted();
    try {
      for await (const { type, value } of watch(watching)) {
        if (type === "delete") continue;
        if (!predicate || holds(predicate, kind, key, value)) return value;
      }
      signal?.throwIfAborted();
      throw new StoreClosedError();
    } catch (error) {
      const isGap = error instanceof WatchOverflowError &&
        error.reason !== "broken";
      if (!isGap) throw error;
    }
    // Then it reads the value again.
    await sleep(pauses.next(), signal);
  }
}

function assertPredicate(
  kind: string,
  key: string,
  predicate: unknown,
): void {
  if (predicate === undefined || typeof predicate === "function") return;
  throw new TypeError(
    `Cannot wait for ${
      quote(kind, key)
    }: the predicate is a function, received ${
      describe(predicate)
    }; give options after it`,
  );
}

function holds<T>(
  predicate: (value: T) => boolean,
  kind: string,
  key: string,
  value: T,
): boolean {
  const answer: unknown = predicate(value);
  if (typeof answer === "boolean") return answer;
  throw new TypeError(
    `Cannot wait for ${
      quote(kind, key)
    }: the predicate returns a boolean, received ${describe(answer)}`,
  );
}
