/**
 * A program that uses an instrumented store in the handler of a request, inside
 * a span of its own, and runs until its standard input ends. `Deno.args` has the
 * path of the store.
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

const handle = () =>
  trace.getTracer("app").startActiveSpan("handle", async (span) => {
    await Promise.all([store.set("k", "a", 1), store.set("k", "b", 2)]);
    const value = await store.get("k", "a");
    span.end();
    return new Response(`${value}`);
  });
const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
await using server = Deno.serve(options, handle);
await (await fetch(`http://127.0.0.1:${server.addr.port}/`)).text();

await watch.read();
await Array.fromAsync(Deno.stdin.readable);
await watch.cancel();
