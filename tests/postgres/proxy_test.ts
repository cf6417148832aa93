/**
 * The proxy for tests of faults, in front of a server that repeats what it gets.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { until } from "../support/postgres/until.ts";
import { openProxy, type Proxy } from "../support/postgres/proxy.ts";
import { Random } from "../support/random.ts";

/** A server that answers each chunk with itself, and counts the chunks. */
function openEcho(): AsyncDisposable & { port: number; received: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async (connection: Deno.Conn) => {
    const buffer = new Uint8Array(1024);
    try {
      for (;;) {
        const length = await connection.read(buffer);
        if (length === null) break;
        echo.received++;
        await connection.write(buffer.subarray(0, length));
      }
    } catch {
      // The proxy has cut the connection.
    } finally {
      connection.close();
    }
  };
  const accepting = (async () => {
    const served: Promise<void>[] = [];
    for await (const connection of listener) served.push(serve(connection));
    await Promise.all(served);
  })();
  const echo = {
    port: listener.addr.port,
    received: 0,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
    },
  };
  return echo;
}

/** A client: `ask` resolves to the answer, to nothing if the connection is cut. */
async function connect({ port }: Proxy) {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const read = async () => {
    const buffer = new Uint8Array(1024);
    const length = await connection.read(buffer).catch(() => null);
    return length === null
      ? undefined
      : new TextDecoder().decode(buffer.subarray(0, length));
  };
  const send = async (text: string) => {
    await connection.write(new TextEncoder().encode(text));
  };
  return {
    read,
    send,
    async ask(text: string) {
      await send(text);
      return await read();
    },
    [Symbol.dispose]: () => connection.close(),
  };
}

async function untilHeld({ counts }: Proxy, chunks: number): Promise<void> {
  await until(`${chunks} chunks are held`, () => counts.held === chunks);
}

Deno.test("it forwards, and cuts all connections", async () => {
  await using echo = openEcho();
  await using proxy = openProxy(echo.port);
  using one = await connect(proxy);
  using two = await connect(proxy);
  assertEquals(await one.ask("a"), "a");
  assertEquals(await two.ask("b"), "b");
  assertEquals(proxy.open, 2);
  proxy.cut();
  assertEquals(await one.read(), undefined);
  assertEquals(await two.read(), undefined);
  using three = await connect(proxy);
  assertEquals(await three.ask("c"), "c");
  assertEquals(proxy.counts, {
    connections: 3,
    cuts: 2,
    requests: 3,
    answers: 3,
    held: 0,
  });
});

Deno.test("a lost request does not reach the server", async () => {
  await using echo = openEcho();
  await using proxy = openProxy(echo.port);
  using client = await connect(proxy);
  const cut = proxy.cutNext("request", ([byte]) => byte === 0x62);
  assertEquals(await client.ask("a"), "a");
  assertEquals(await client.ask("b"), undefined);
  await cut;
  assertEquals(echo.received, 1);
});

Deno.test("a lost answer is that of a request that reached the server", async () => {
  await using echo = openEcho();
  await using proxy = openProxy(echo.port);
  using client = await connect(proxy);
  const cut = proxy.cutNext("answer");
  assertEquals(await client.ask("a"), undefined);
  await cut;
  assertEquals(echo.received, 1);
  using other = await connect(proxy);
  assertEquals(await other.ask("b"), "b");
});

/** How many chunks each of ten connections sends until it is cut. */
async function randomCuts(seed: string): Promise<number[]> {
  await using echo = openEcho();
  await using proxy = openProxy(echo.port, { random: new Random(seed) });
  proxy.cutAtRandom({ request: 0.1, answer: 0.1 });
  const lengths: number[] = [];
  for (let i = 0; i < 10; i++) {
    using client = await connect(proxy);
    let length = 1;
    while (await client.ask("a") !== undefined) length++;
    lengths.push(length);
  }
  assertEquals(proxy.counts.cuts, 10);
  assertEquals(
    echo.received,
    proxy.counts.requests,
  );
  assert(proxy.counts.requests > proxy.counts.answers);
  return lengths;
}

Deno.test("cuts at random come back with the seed", async () => {
  const lengths = await randomCuts("one");
  assertEquals(await randomCuts("one"), lengths);
  assert(lengths.join() !== (await randomCuts("two")).join());
});

Deno.test("cuts at random need a seed", async () => {
  await using echo = openEcho();
  await using proxy = openProxy(echo.port);
  assertThrows(() => proxy.cutAtRandom({ request: 1 }), TypeError, "random");
});

Deno.test("silence holds back what was sent until it is mended", async () => {
  await using echo = openEcho();
  await using proxy = openProxy(echo.port);
  using client = await connect(proxy);
  assertEquals(await client.ask("a"), "a");
  proxy.silence();
  const answer = client.ask("b");
  using other = await connect(proxy);
  const otherAnswer = other.ask("c");
  await untilHeld(proxy, 2);
  assertEquals(echo.received, 1);
  proxy.mend();
  assertEquals([await answer, await otherAnswer], ["b", "c"]);
});

Deno.test("a cut ends a silence, and so does the end of the proxy", async () => {
  await using echo = openEcho();
  const proxy = openProxy(echo.port);
  using client = await connect(proxy);
  assertEquals(await client.ask("a"), "a");
  proxy.silence();
  const answer = client.ask("b");
  await untilHeld(proxy, 1);
  proxy.cut();
  assertEquals(await answer, undefined);
  using other = await connect(proxy);
  const otherAnswer = other.ask("c");
  await untilHeld(proxy, 1);
  await proxy[Symbol.asyncDispose]();
  assertEquals(await otherAnswer, undefined);
  assertEquals(echo.received, 1);
});

Deno.test("it refuses connections until it is mended", async () => {
  await using echo = openEcho();
  await using proxy = openProxy(echo.port);
  using client = await connect(proxy);
  assertEquals(await client.ask("a"), "a");
  await proxy.refuse();
  await assertRejects(() => connect(proxy), Deno.errors.ConnectionRefused);
  assertEquals(await client.ask("b"), "b");
  proxy.mend();
  using other = await connect(proxy);
  assertEquals(await other.ask("c"), "c");
});

Deno.test("the end of the proxy ends the wait for a delayed chunk", async () => {
  await using echo = openEcho();
  const proxy = openProxy(echo.port);
  proxy.delay(1);
  using client = await connect(proxy);
  assertEquals(await client.ask("a"), "a");
  proxy.delay(3_600_000);
  const answer = client.ask("b");
  await untilHeld(proxy, 1);
  await proxy[Symbol.asyncDispose]();
  assertEquals(await answer, undefined);
  assertEquals(echo.received, 1);
});

Deno.test("a server that is down cuts the connection", async () => {
  const echo = openEcho();
  await echo[Symbol.asyncDispose]();
  await using proxy = openProxy(echo.port);
  using client = await connect(proxy);
  assertEquals(await client.ask("a"), undefined);
});
