/**
 * The sizes of the suite's own writes: the wanted size, or less if the store
 * has a limit.
 *
 * @module
 */
import type { Store } from "../contract/store.ts";
import { numberedKeys } from "./reading.ts";
import type { Manifest } from "./supports.ts";

/** `count` keys in order, but at most as many as one write takes. */
export function keysOfOneWrite(count: number, supports: Manifest): string[] {
  return numberedKeys(countInOneWrite(count, supports));
}

/** `count`, but at most the number of changes that one write takes. */
export function countInOneWrite(count: number, { limits }: Manifest): number {
  return Math.min(count, limits.changes);
}

/** How many short lines `import` writes in one transaction. */
export function linesInOneTransaction(supports: Manifest): number {
  return countInOneWrite(1_000, supports);
}

/**
 * Writes an entry for each key. The value contains the key. All writes are
 * called at once: one, or as many as the store's limit requires.
 */
export async function fillMany(
  store: Store,
  kind: string,
  keys: readonly string[],
  { limits }: Manifest,
): Promise<void> {
  const writes: Promise<unknown>[] = [];
  for (let at = 0; at < keys.length; at += limits.changes) {
    const piece = keys.slice(at, at + limits.changes);
    const entries = piece.map((key) => [key, { of: key }] as const);
    writes.push(store.setAll(kind, entries));
  }
  await Promise.all(writes);
}

/** A text whose JSON has this many bytes, in characters of two bytes each. */
export function textOfBytes(bytes: number): string {
  const room = bytes - '""'.length;
  return "é".repeat(Math.floor(room / 2)) + "x".repeat(room % 2);
}

/** A name that has this many bytes in UTF-8, in characters of two bytes each. */
export function nameOfBytes(bytes: number): string {
  return textOfBytes(bytes + '""'.length);
}
