/**
 * Tests of expiry in a store that is reopened (C1, C9).
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ReopeningCases } from "../case.ts";
import { HOUR, SOON, untilGone } from "../expiring.ts";
import { brief, next, take } from "../reading.ts";

export const expiryReopening: ReopeningCases = {
  "C1 when an entry expires is kept after the store is reopened": async (
    open,
    reopen,
  ) => {
    await using first = await open();
    await first.set("users", "a", 1, { expireIn: HOUR });
    await first.set("users", "b", 1, { expireIn: HOUR });
    await first.set("users", "b", 1);
    const entries = await Array.fromAsync(first.entries("users"));
    await using second = await reopen(first);
    assertEquals(await Array.fromAsync(second.entries("users")), entries);
  },

  "C9 entries expire after the store is reopened": async (
    open,
    reopen,
  ) => {
    await using first = await open();
    const { revision } = await first.set("users", "a", 1, { expireIn: SOON });
    await first.set("users", "b", 1, { expireIn: HOUR });
    await using second = await reopen(first);
    await untilGone(second, "users", "a");
    assertEquals(await second.keys("users"), ["b"]);
    const events = second.watch("users", { after: revision }).getReader();
    const seen = await take(events, 2);
    assertEquals(brief(seen).sort(), ["create b@1", "delete a@1"]);
    const deleted = seen.find(({ type }) => type === "delete");
    assert(deleted?.type === "delete" && deleted.expired);
    await second.set("users", "probe", 1);
    assertEquals(brief([await next(events)]), ["create probe@1"]);
  },

  "C9 a reopened store reports expiries without a call": async (
    open,
    reopen,
  ) => {
    await using first = await open();
    const { revision } = await first.set("users", "a", 1, { expireIn: SOON });
    await using second = await reopen(first);
    const events = second.watch("users", { after: revision }).getReader();
    assertEquals(brief([await next(events)]), ["delete a@1"]);
  },
};
