/**
 * Who may use the inspector: everybody else is refused, whatever they ask for.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { assetPaths } from "../../src/inspector/assets.ts";
import { inspector } from "../../src/inspector/inspector.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { drivers } from "../support/drivers.ts";
import { serveInspector } from "../support/inspector/serve.ts";

const [{ test }] = drivers;

const PATHS = [
  "",
  "assets/main.ts",
  "assets/lib/preact.js",
  "api/session",
  "api/kinds",
  "api/events",
  "api/verify",
  "nothing",
];

/** Sends a request as it is written; gives the status and the answer. */
async function send(
  port: number,
  lines: string[],
): Promise<{ status: number; text: string }> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = [...lines, "connection: close", "", ""].join("\r\n");
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(request));
  const text = await new Response(connection.readable).text();
  return { status: Number(/^HTTP\/1\.1 (\d+) /.exec(text)?.[1]), text };
}

test("the first URL is exchanged for a cookie that scripts and other sites cannot have", async () => {
  await using store = await openMemoryStore();
  await using served = await serveInspector(store);
  const { inspect, base } = served;
  const url = inspect.url(base);
  assertEquals(new URL(url).pathname, "/");
  assert(new URL(url).searchParams.get("token")!.length >= 43);

  const first = await fetch(url, { redirect: "manual" });
  assertEquals([first.status, first.headers.get("location")], [303, "./"]);
  await first.body?.cancel();
  const [pair, ...attributes] = first.headers.get("set-cookie")!.split("; ");
  assertEquals(attributes, ["HttpOnly", "SameSite=Strict"]);
  const page = await fetch(base, { headers: { cookie: `other=1; ${pair}` } });
  assertEquals(page.status, 200);
  assert((await page.text()).startsWith("<!DOCTYPE html>"));

  const secure = await inspect(new Request(inspect.url("https://localhost/")));
  await secure.body?.cancel();
  assert(secure.headers.get("set-cookie")!.endsWith("; Secure"));
});

test("two inspectors of one machine have cookies of two names", async () => {
  await using store = await openMemoryStore();
  await using one = await serveInspector(store);
  await using other = await serveInspector(store);
  const names = [one, other].map(({ cookie }) => cookie.split("=")[0]);
  assertEquals(new Set(names).size, 2);
  const headers = { cookie: `${one.cookie}; ${other.cookie}` };
  for (const { base } of [one, other]) {
    const response = await fetch(`${base}api/session`, { headers });
    assertEquals(response.status, 200);
    await response.body?.cancel();
  }
});

test("without the session's cookie nothing is answered", async () => {
  await using store = await openMemoryStore();
  await using served = await serveInspector(store, { write: true });
  const { base, cookie } = served;
  const [name, value] = cookie.split("=");
  const wrong = [
    "",
    "token=x",
    `${name}=`,
    `${name}=${value.slice(1)}`,
    `${name}=${value}x`,
    `${name}x=${value}`,
    `x${name}=${value}`,
    `${name}=${"A".repeat(value.length)}`,
  ];
  for (const path of PATHS) {
    for (const given of wrong) {
      const response = await fetch(base + path, { headers: { cookie: given } });
      assertEquals(response.status, 401, `${path} ${given}`);
      await response.body?.cancel();
    }
  }
  const error = await (await fetch(`${base}api/kinds`)).json();
  assertEquals(error.error.code, "NO_SESSION");
});

test("a wrong token opens no session, nor does the right one at another path", async () => {
  await using store = await openMemoryStore();
  await using served = await serveInspector(store);
  const token = new URL(served.inspect.url(served.base)).searchParams.get(
    "token",
  );
  const statuses: [path: string, status: number][] = [
    ["?token=", 401],
    ["?token=x", 401],
    [`?token=${token}x`, 401],
    [`api/kinds?token=${token}`, 401],
    [`assets/main.ts?token=${token}`, 401],
    [`?token=${token}`, 303],
  ];
  for (const [path, status] of statuses) {
    const response = await fetch(served.base + path, { redirect: "manual" });
    assertEquals(response.status, status, path);
    assertEquals(response.headers.has("set-cookie"), status === 303);
    await response.body?.cancel();
  }
});

test("only requests to the names of this machine are answered", async () => {
  await using store = await openMemoryStore();
  await using served = await serveInspector(store, {
    hosts: ["inspect.example"],
  });
  const { port, cookie } = served;
  const hosts: [host: string, status: number][] = [
    [`127.0.0.1:${port}`, 200],
    [`localhost:${port}`, 200],
    ["LOCALHOST", 200],
    [`[::1]:${port}`, 200],
    ["inspect.example", 200],
    ["Inspect.Example:8443", 200],
    [`evil.example:${port}`, 421],
    ["127.0.0.1.evil.example", 421],
    ["localhost.evil.example", 421],
    ["x.inspect.example", 421],
    ["192.168.0.1", 421],
    ["10.0.0.1", 421],
  ];
  for (const [host, status] of hosts) {
    for (const path of ["/", "/api/kinds"]) {
      const answer = await send(port, [
        `GET ${path} HTTP/1.1`,
        `host: ${host}`,
        `cookie: ${cookie}`,
      ]);
      assertEquals(answer.status, status, `${host} ${path}`);
    }
  }
});

test("the address of all addresses stands for each of them, and for no name", async () => {
  await using store = await openMemoryStore();
  for (const host of ["0.0.0.0", "::"]) {
    const inspect = inspector(store, { hosts: [host], authorize: () => true });
    const statusOf = async (base: string) => {
      const response = await inspect(new Request(`${base}/api/kinds`));
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await statusOf("http://192.168.0.1:8000"), 200);
    assertEquals(await statusOf("http://[fe80::1]:8000"), 200);
    assertEquals(await statusOf("http://evil.example:8000"), 421);
    assertEquals(await statusOf("http://192.168.0.1.example"), 421);
  }
});

test("pages of other origins are refused, also those of the same site", async () => {
  await using store = await openMemoryStore();
  await store.set("users", "alice", 1);
  await using served = await serveInspector(store, { write: true });
  const { port, cookie } = served;
  const own = `http://127.0.0.1:${port}`;
  const cases: [headers: string[], status: number][] = [
    [[], 200],
    [[`origin: ${own}`], 200],
    [[`origin: https://127.0.0.1:${port}`], 200],
    [["origin: http://evil.example"], 403],
    [[`origin: http://127.0.0.1:${port + 1}`], 403],
    [[`origin: http://localhost:${port}`], 403],
    [["origin: null"], 403],
    [["origin: "], 403],
    [["sec-fetch-site: same-origin"], 200],
    [["sec-fetch-site: none"], 200],
    [["sec-fetch-site: same-site"], 403],
    [["sec-fetch-site: cross-site"], 403],
    [["sec-fetch-site: cross-site", "sec-fetch-mode: navigate"], 403],
    [[
      "sec-fetch-site: cross-site",
      "sec-fetch-mode: navigate",
      "sec-fetch-dest: iframe",
    ], 403],
    [[
      "sec-fetch-site: cross-site",
      "sec-fetch-mode: navigate",
      "sec-fetch-dest: document",
    ], 200],
  ];
  for (const [headers, status] of cases) {
    const answer = await send(port, [
      "GET /api/kinds HTTP/1.1",
      `host: 127.0.0.1:${port}`,
      `cookie: ${cookie}`,
      ...headers,
    ]);
    assertEquals(answer.status, status, headers.join());
  }
  const body = JSON.stringify({ kind: "users", key: "alice", ifRevision: 1 });
  const written = await send(port, [
    "POST /api/delete HTTP/1.1",
    `host: 127.0.0.1:${port}`,
    `cookie: ${cookie}`,
    `origin: http://127.0.0.1:${port + 1}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
    "",
    body,
  ]);
  assertEquals(written.status, 403);
  assertEquals(await store.get("users", "alice"), 1);
});

test("a form of another page can never write", async () => {
  await using store = await openMemoryStore();
  await using served = await serveInspector(store, { write: true });
  const body = JSON.stringify({
    kind: "users",
    key: "alice",
    text: "1",
    ifRevision: 0,
  });
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/jsonx",
      "",
    ]
  ) {
    const response = await served.fetch("api/set", {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
    assertEquals(response.status, 415, type);
    await response.body?.cancel();
  }
  assertEquals(await store.kinds(), []);
});

test("every response keeps a browser from more than it has to do", async () => {
  await using store = await openMemoryStore();
  await using served = await serveInspector(store);
  const requests: Promise<Response>[] = [
    ...assetPaths().map((path) => served.fetch(path)),
    ...["session", "kinds", "info", "log", "changes", "nothing"].map((name) =>
      served.fetch(`api/${name}`)
    ),
    served.fetch("api/kinds", { method: "DELETE" }),
    fetch(served.base),
    fetch(served.inspect.url(served.base), { redirect: "manual" }),
  ];
  for (const response of await Promise.all(requests)) {
    const { headers, url } = response;
    const policy = headers.get("content-security-policy")!;
    assert(policy.startsWith("default-src 'none'; script-src 'self'"), url);
    assert(!/unsafe|\*|http/.test(policy), policy);
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
    assertEquals(headers.get("x-frame-options"), "DENY");
    assertEquals(headers.get("access-control-allow-origin"), null);
    const isAsset = headers.has("etag");
    assertEquals(
      headers.get("cache-control"),
      isAsset ? "no-cache" : "no-store",
    );
    await response.body?.cancel();
  }
});

test("the embedding server decides who may use it", async () => {
  await using store = await openMemoryStore();
  const inspect = inspector(store, {
    authorize: async ({ headers }) =>
      await Promise.resolve(headers.get("x-user") === "admin"),
  });
  const statusOf = async (headers: Record<string, string>) => {
    const url = "http://localhost/api/kinds";
    const response = await inspect(new Request(url, { headers }));
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await statusOf({ "x-user": "admin" }), 200);
  assertEquals(await statusOf({ "x-user": "eve" }), 401);
  // The token is of no use then.
  const first = await inspect(new Request(inspect.url("http://localhost/")));
  assertEquals([first.status, first.headers.get("set-cookie")], [401, null]);
  await first.body?.cancel();

  const failing = inspector(store, {
    authorize: () => Promise.reject(new Error("The users are away")),
  });
  const response = await failing(new Request("http://localhost/api/kinds"));
  const { error } = await response.json();
  assertEquals([response.status, error.code], [500, "INTERNAL"]);
});

test("invalid stores and options are errors", async () => {
  await using store = await openMemoryStore();
  assertThrows(
    () => inspector({} as typeof store),
    TypeError,
    "expected a store that this copy of @zestor/store opened",
  );
  assertThrows(() => inspector(null as unknown as typeof store), TypeError);
  const wrong: [options: object, message: string][] = [
    [{ writes: true }, 'unknown option "writes"'],
    [{ write: 1 }, '"write"'],
    [{ token: "short" }, "at least 16 letters"],
    [{ token: "with; a separator in it" }, "at least 16 letters"],
    [{ hosts: "localhost" }, "array of names"],
    [{ hosts: ["a.example:80"] }, "without ports"],
    [{ hosts: [""] }, "array of names"],
    [{ authorize: true }, '"authorize"'],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => inspector(store, options), TypeError, message);
  }
});
