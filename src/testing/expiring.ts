/**
 * Helpers for expiring entries: they read until a read changes, or await the
 * `delete` event. They never sleep.
 *
 * @module
 */
import { assert, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import type { SetResult, Store } from "../contract/mod.ts";

/** An expiry that no test reaches, in ms. */
export const HOUR = 3_600_000;

/** An expiry that a test waits for, in ms. */
export const SOON = 20;

/** How long an entry may outlive its expiry before the test gives up, in ms. */
const PATIENCE = 60_000;

/**
 * Reads until an entry is gone. A store in this process answers without a turn
 * of the event loop, so no timer has run meanwhile: the entry has expired, but
 * has not been removed yet.
 */
export async function untilGone(
  store: Store,
  kind: string,
  key: string,
): Promise<void> {
  const giveUp = Date.now() + PATIENCE;
  while (await store.has(kind, key)) {
    assert(Date.now() < giveUp, `${kind}/${key} does not expire`);
  }
}

/** Writes an entry, and resolves when it has expired. */
export async function setExpired(
  store: Store,
  kind: string,
  key: string,
  value: unknown = 1,
): Promise<SetResult> {
  const result = await store.set(kind, key, value, { expireIn: SOON });
  await untilGone(store, kind, key);
  return result;
}

/** Writes an entry for each key, and resolves when all have expired. */
export async function setAllExpired(
  store: Store,
  kind: string,
  keys: readonly string[],
): Promise<void> {
  const entries = keys.map((key) => [key, 1] as const);
  await store.setAll(kind, entries, { expireIn: SOON });
  await untilGone(store, kind, keys[0]);
}

/** Asserts that a write makes an entry expire this many ms after its call. */
export async function assertLasts(
  store: Store,
  key: string,
  ms: number,
  write: () => Promise<unknown>,
  what?: string,
): Promise<void> {
  const before = Date.now();
  const writing = write();
  const called = Date.now();
  await writing;
  const expiresAt = await expiryOf(store, key);
  assert(expiresAt !== undefined, what);
  assertGreaterOrEqual(expiresAt, before + ms, what);
  assertLessOrEqual(expiresAt, called + ms, what);
}

/** The time at which a user expires, in ms since 1970; `undefined` if never. */
export async function expiryOf(
  store: Store,
  key: string,
): Promise<number | undefined> {
  const entry = await store.entry("users", key);
  assert(entry, `there is no ${key}`);
  return entry.expiresAt?.getTime();
}
