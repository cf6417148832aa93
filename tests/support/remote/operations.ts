/**
 * Writes as a test hands them to the queue, without a store: values are text.
 *
 * @module
 */
import { KeyNotFoundError } from "../../../src/contract/errors.ts";
import type { Operation } from "../../../src/engine/operation.ts";
import type {
  Change,
  Check,
  Decide,
  Effect,
  EntryName,
  Found,
  Next,
} from "../../../src/engine/write.ts";

/** What an operation gives: what was done, or what was refused. */
export type Result =
  | { readonly effects: readonly Effect[]; readonly revision: number }
  | { readonly refused: Check; readonly found: Found | undefined };

/** The kind of every entry that is not named whole. */
export const KIND = "k";

/** The name of an entry of `KIND`. */
export function named(key: string): EntryName {
  return { kind: KIND, key };
}

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text of bytes. */
export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder().decode(bytes);
}

/** A write of changes, under checks. */
export function atomic(
  changes: readonly Change[],
  checks: readonly Check[] = [],
  action = "commit",
): Operation<Result> {
  return {
    action,
    checks,
    size: () => changes.length,
    changes: () => changes,
    done: (effects, revision) => ({ effects, revision }),
    refused: (refused, found) => ({ refused, found }),
  };
}

/** Puts a text. */
export function put(key: string, value: string): Change {
  return { ...named(key), next: { value: bytesOf(value) } };
}

/** Removes an entry. */
export function removal(key: string): Change {
  return { ...named(key), next: "remove" };
}

/** Decides on the text that is there. */
export function decision(
  key: string,
  decide: (value: string | undefined) => string | Next,
): Change {
  const next: Decide = (bytes) => {
    const decided = decide(textOf(bytes));
    return decided === "keep" || decided === "remove" ||
        typeof decided !== "string"
      ? decided
      : { value: bytesOf(decided) };
  };
  return { ...named(key), next, mayRemove: true };
}

/** Sets a key, if it has a version. */
export function set(key: string, value: string, ifVersion?: number) {
  return atomic([put(key, value)], checksOf(key, ifVersion), "set");
}

/** Adds 1 to a number; throws if there is no entry. */
export function increment(key: string, ifVersion?: number) {
  const next = decision(key, (value) => {
    if (value === undefined) throw new KeyNotFoundError(KIND, key);
    return String(Number(value) + 1);
  });
  return atomic([next], checksOf(key, ifVersion), "update");
}

/** Removes an entry if there is one, and tells which version it had. */
export function remove(key: string, ifVersion?: number) {
  const next = decision(
    key,
    (value) => value === undefined ? "keep" : "remove",
  );
  return atomic([next], checksOf(key, ifVersion), "delete");
}

function checksOf(key: string, version: number | undefined): Check[] {
  return version === undefined ? [] : [{ ...named(key), version }];
}
