/**
 * Writes as a test hands them to the queue, without a store: values are text.
 *
 * @module
 */
import { KeyNotFoundError } from "../../../src/contract/errors.ts";
import type { Operation } from "../../../src/engine/operation.ts";
import { ALL_KEYS, type KeyRange } from "../../../src/keys/key_range.ts";
import type {
  Change,
  Check,
  Decide,
  Effect,
  EntryChange,
  EntryName,
  Found,
  Next,
  Put,
  RangeRemoval,
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

/** A write of changes, under checks. One that removes a range is alone. */
export function atomic(
  changes: readonly Change[],
  checks: readonly Check[] = [],
  action = "commit",
): Operation<Result> {
  return {
    action,
    checks,
    isBulk: changes.some((change) => "range" in change),
    size: () => changes.length,
    changes: () => changes,
    done: (effects, revision) => ({ effects, revision }),
    refused: (refused, found) => ({ refused, found }),
  };
}

/** Puts a text, and when it expires. */
export function put(
  key: string,
  value: string,
  expiresAt?: Put["expiresAt"],
): EntryChange {
  return { ...named(key), next: { value: bytesOf(value), expiresAt } };
}

/** Removes an entry. */
export function removal(key: string): EntryChange {
  return { ...named(key), next: "remove" };
}

/** Removes a range of `KIND`. */
export function rangeRemoval(range: KeyRange = ALL_KEYS): RangeRemoval {
  return { kind: KIND, range };
}

/** Decides on the text that is there. */
export function decision(
  key: string,
  decide: (value: string | undefined) => string | Next,
): EntryChange {
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
