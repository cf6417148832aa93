/**
 * What examples/sse_server.ts refuses: requests that a page of another site, or
 * of another name for this machine, makes a browser send.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createHandler } from "../examples/sse_server.ts";
import { openMemoryStore } from "../src/memory/open_memory_store.ts";
import { drivers } from "./support/drivers.ts";

const [{ test }] = drivers;

type Notes = Parameters<typeof createHandler>[0];

async function serve() {
  const store: Notes = await openMemoryStore();
  const stopping = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    createHandler(store, stopping.signal),
  );
  return {
    store,
    port: server.addr.port,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await server.shutdown();
      await store.close();
    },
  };
}

/** Sends a request as it is written, and gives what is answered until the server closes. */
async function send(port: number, lines: string[], body = ""): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const text = [...lines, "connection: close", "", body].join("\r\n");
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  const answer = new Response(connection.readable).text();
  const result = await answer;
  writer.releaseLock();
  return result;
}

/** The status of an answer. */
function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d+) /.exec(answer)?.[1]);
}

test("sse_server.ts answers only to the names that this machine has", async () => {
  await using server = await serve();
  const { port } = server;
  const hosts: [host: string, status: number][] = [
    [`127.0.0.1:${port}`, 200],
    [`localhost:${port}`, 200],
    ["LOCALHOST", 200],
    [`[::1]:${port}`, 200],
    [`evil.example:${port}`, 421],
    ["127.0.0.1.evil.example", 421],
    ["localhost.evil.example", 421],
    [`evil.example#@127.0.0.1:${port}`, 421],
  ];
  for (const [host, status] of hosts) {
    const answer = await send(port, ["GET / HTTP/1.1", `host: ${host}`]);
    assertEquals(statusOf(answer), status, host);
    assertEquals(answer.includes("new EventSource"), status === 200);
  }
  // Every path is looked after, events and writes, too.
  for (const line of ["GET /events HTTP/1.1", "POST /notes/a HTTP/1.1"]) {
    const answer = await send(port, [line, "host: evil.example"]);
    assertEquals(statusOf(answer), 421);
  }
  assertEquals(await server.store.count("notes"), 0);
});

test("sse_server.ts lets only its own page write", async () => {
  await using server = await serve();
  const { port } = server;
  const post = (headers: string[]) =>
    send(port, [
      "POST /notes/a HTTP/1.1",
      `host: 127.0.0.1:${port}`,
      "content-length: 4",
      ...headers,
    ], "Note");
  const text = "content-type: text/plain";
  const refused: [headers: string[], status: number][] = [
    [[text, "origin: https://evil.example"], 403],
    [[text, "origin: null"], 403],
    [[text, `origin: http://127.0.0.1:${port + 1}`], 403],
    [[text, `origin: https://127.0.0.1:${port}`], 403],
    [[text, `origin: http://localhost:${port}`], 403],
    [["content-type: application/x-www-form-urlencoded"], 415],
    [["content-type: multipart/form-data; boundary=x"], 415],
    [["content-type: text/plainer"], 415],
    [[], 415],
  ];
  for (const [headers, status] of refused) {
    assertEquals(statusOf(await post(headers)), status, headers.join());
  }
  assertEquals(await server.store.count("notes"), 0);
  for (
    const headers of [
      [text],
      ["content-type: Text/Plain;charset=UTF-8"],
      [text, `origin: http://127.0.0.1:${port}`],
    ]
  ) {
    assertEquals(statusOf(await post(headers)), 200, headers.join());
  }
  assertEquals((await server.store.get("notes", "a"))?.title, "Note");
});

test("sse_server.ts reads no more of a note than it takes", async () => {
  await using server = await serve();
  const url = `http://127.0.0.1:${server.port}/notes/a`;
  const put = (body: BodyInit) =>
    fetch(url, {
      method: "POST",
      body,
      headers: { "content-type": "text/plain" },
    });
  const longest = await put("x".repeat(65_536));
  assertMatch(await longest.text(), /created/);
  const longer = await put("y".repeat(65_537));
  assertEquals(longer.status, 413);
  await longer.body?.cancel();

  // A body without an end, and without a length.
  let sent = 0;
  const chunk = new TextEncoder().encode("z".repeat(1024));
  const handler = createHandler(server.store);
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const response = await handler(
    new Request(url, {
      method: "POST",
      body: endless,
      headers: { "content-type": "text/plain" },
    }),
  );
  assertEquals(response.status, 413);
  assert(sent < 100_000, `${sent} bytes were taken`);
  assertEquals((await server.store.get("notes", "a"))?.title[0], "x");
});
