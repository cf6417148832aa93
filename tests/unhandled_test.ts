/**
 * A conformance test fails if a promise rejects, and nothing handles that.
 *
 * @module
 */
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import process from "node:process";
import { failOnUnhandled } from "../src/testing/unhandled.ts";

const listeners = () => process.listenerCount("unhandledRejection");

Deno.test("a test that waits for failed work fails", async () => {
  const reason = new Error("The work failed");
  const error = await assertRejects(() =>
    failOnUnhandled(async () => {
      Promise.reject(reason);
      await new Promise(() => {});
    })
  );
  assertStrictEquals(error, reason);
  process.removeAllListeners("unhandledRejection");
});

Deno.test("a test fails by a rejection of its last turn", async () => {
  const reason = new Error("The work failed");
  const error = await assertRejects(() =>
    failOnUnhandled(() => {
      Promise.reject(reason);
      return Promise.resolve();
    })
  );
  assertStrictEquals(error, reason);
  process.removeAllListeners("unhandledRejection");
});

Deno.test("a test that handles its failures passes, and its own error is thrown", async () => {
  const before = listeners();
  await failOnUnhandled(async () => {
    await Promise.reject(new Error("handled")).catch(() => {});
  });
  await assertRejects(
    () => failOnUnhandled(() => Promise.reject(new Error("its own"))),
    Error,
    "its own",
  );
  assertEquals(listeners(), before);
});

Deno.test("a test that fails may leave rejections of its last turn", async () => {
  await assertRejects(
    () =>
      failOnUnhandled(() => {
        Promise.reject(new Error("left"));
        return Promise.reject(new Error("its own"));
      }),
    Error,
    "its own",
  );
  process.removeAllListeners("unhandledRejection");
});
