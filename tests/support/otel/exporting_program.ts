/**
 * A program that uses an instrumented store inside a span of its own, and runs
 * until its standard input ends. `Deno.args` has the path of the store.
 *
 * @module
 */
import { trace } from "@opentelemetry/api";
import { openStore } from "../../../mod.ts";
import { instrument } from "../../../src/otel/instrument.ts";

await using store = instrument(
  await openStore<{ k: number }>({ path: Deno.args[0] }),
);
const watch = store.watch("k").getReader();
await trace.getTracer("app").startActiveSpan("request", async (span) => {
  await Promise.all([store.set("k", "a", 1), store.set("k", "b", 2)]);
  await store.get("k", "a");
  span.end();
});
await watch.read();
await Array.fromAsync(Deno.stdin.readable);
await watch.cancel();
