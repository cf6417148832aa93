/**
 * What is too large for a far engine is refused, and names the limit; what fits
 * into no request is sent in several, in order.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreTooLargeError } from "../../src/contract/errors.ts";
import {
  atomic,
  decision,
  increment,
  named,
  put,
  removal,
  set,
} from "../support/remote/operations.ts";
import { LIMITS } from "../support/remote/protocol.ts";
import { withClient } from "../support/remote/open_clients.ts";

/** With the kind "k" it is as long as may be: each "é" has two bytes. */
const LONGEST_KEY = "é".repeat((LIMITS.nameBytes - 2) / 2) + "x";

const puts = (count: number) =>
  Array.from({ length: count }, (_, i) => put(`key ${i}`, "x"));

const value = (bytes: number) => ({ value: new Uint8Array(bytes) });

const tooLarge = {
  "checks and changes": {
    operation: atomic(puts(LIMITS.changes), [{ ...named("a"), version: 0 }]),
    message: `Cannot commit: it has ${
      LIMITS.changes + 1
    } checks and changes, and this store takes at most ${LIMITS.changes}; make it smaller`,
  },
  "a key": {
    operation: set(LONGEST_KEY + "x", "x"),
    message: `Cannot set: it has a kind and a key of ${
      LIMITS.nameBytes + 1
    } bytes together, and this store takes at most ${LIMITS.nameBytes}; make it smaller`,
  },
  "a key that is checked": {
    operation: atomic([], [{ ...named(LONGEST_KEY + "x"), version: 0 }]),
    message: `Cannot commit: it has a kind and a key of ${
      LIMITS.nameBytes + 1
    } bytes together, and this store takes at most ${LIMITS.nameBytes}; make it smaller`,
  },
  "a value": {
    operation: atomic([{ ...named("a"), next: value(LIMITS.valueBytes + 1) }]),
    message: `Cannot commit: it has a value of ${
      LIMITS.valueBytes + 1
    } bytes, and this store takes at most ${LIMITS.valueBytes}; make it smaller`,
  },
  "a value that was decided": {
    operation: atomic([
      decision("a", (seen) => value(LIMITS.valueBytes + seen!.length)),
    ]),
    message: `Cannot commit: it has a value of ${
      LIMITS.valueBytes + 1
    } bytes, and this store takes at most ${LIMITS.valueBytes}; make it smaller`,
  },
};

for (const [what, { operation, message }] of Object.entries(tooLarge)) {
  Deno.test(`${what} may be too large: the write fails alone`, () =>
    withClient(async ({ write, get }) => {
      await write(set("a", "1"));
      const [before, failed, after] = await Promise.allSettled([
        write(increment("a")),
        // What was decided sees one digit, before and after.
        write(operation),
        write(increment("a")),
      ]);
      assertEquals(before.status, "fulfilled");
      assertEquals(after.status, "fulfilled");
      assert(failed.status === "rejected");
      assert(failed.reason instanceof StoreTooLargeError);
      assertEquals(failed.reason.message, message);
      assertEquals(await get("a"), "3");
    }));

  Deno.test(`${what} may be too large: nothing is written`, () =>
    withClient(async ({ server, write, engine }) => {
      await write(set("a", "1"));
      await assertRejects(() => write(operation), StoreTooLargeError, message);
      assertEquals(await engine.log.head(), 1);
      assertEquals(server.oldest, 1);
    }));
}

Deno.test("sizes equal to the limits fit", () =>
  withClient(async ({ engine, write }) => {
    const checks = [{ ...named("none"), version: 0 }];
    await write(atomic(puts(LIMITS.changes - 1), checks));
    await write(set(LONGEST_KEY, "x"));
    await write(atomic([{ ...named("v"), next: value(LIMITS.valueBytes) }]));
    await write(atomic([decision("v", (seen) => value(seen!.length))]));
    assertEquals(await engine.log.head(), LIMITS.changes + 1);
  }));

Deno.test("a decision that is too large on a state that a refusal keeps away is made anew", () =>
  withClient(async ({ write, get }) => {
    await write(set("a", "1"));
    const [refused, result] = await Promise.all([
      write(atomic([removal("a")], [{ ...named("a"), version: 7 }])),
      write(atomic([
        decision("a", (seen) => seen ? "2" : value(LIMITS.valueBytes + 1)),
      ])),
    ]);
    assert("refused" in refused);
    assert("revision" in result);
    assertEquals(await get("a"), "2");
  }));

Deno.test("a write that is too large takes no request if it is alone", () =>
  withClient(async ({ server, write }) => {
    const calls = server.calls;
    await assertRejects(() => write(atomic(puts(LIMITS.changes + 1))));
    assertEquals(server.calls, calls);
  }));

Deno.test("many writes that fit one by one are done in order, in several requests", () =>
  withClient(async ({ engine, server, write }) => {
    const bytes = LIMITS.valueBytes;
    await write(set("n", ""));
    const calls = server.calls;
    const results = await Promise.all(
      Array.from(
        { length: 100 },
        (_, i) =>
          write(atomic([
            { ...named(`v${i}`), next: value(bytes) },
            decision("n", (seen) => `${seen}${String.fromCharCode(i + 1)}`),
          ])),
      ),
    );
    assertEquals(
      results.map((result) => "revision" in result && result.revision),
      Array.from({ length: 100 }, (_, i) => 3 + 2 * i),
    );
    const order = await engine.value("k", "n");
    assertEquals(order, Uint8Array.from({ length: 100 }, (_, i) => i + 1));
    // 6.4 MB at most 1 MiB a request, each with the read before it.
    assert(server.calls - calls > 12, `${server.calls - calls} requests`);
  }));
