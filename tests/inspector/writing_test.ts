/**
 * What the inspector's API writes: only if it may, on the condition that the
 * entry is as it was seen, and with errors as data.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { openStore } from "../../mod.ts";
import type { EntryAnswer, WriteAnswer } from "../../src/inspector/api.ts";
import { MOST_BODY } from "../../src/inspector/requests.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { exactJson } from "../../src/values/codecs/exact_json.ts";
import { structured } from "../../src/values/codecs/structured.ts";
import { drivers } from "../support/drivers.ts";
import { testOnEveryStore } from "../support/inspector/every_store.ts";
import { type Given, serveInspector } from "../support/inspector/serve.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

const A = { kind: "k", key: "a" };

testOnEveryStore(
  "an entry is created, edited, deleted and brought back",
  async (open) => {
    await using store = await open();
    await using served = await serveInspector(store, { write: true });
    const { post } = served;
    const set = (body: Given) => post<WriteAnswer>("set", { ...A, ...body });
    assertEquals(await set({ text: '{"n": 1}', ifRevision: 0 }), {
      status: "created",
      revision: 1,
      version: 1,
    });
    assertEquals(
      await set({ text: "n: 2", language: "yaml", ifRevision: 1 }),
      { status: "updated", revision: 2, version: 2 },
    );
    assertEquals(await store.get("k", "a"), { n: 2 });
    assertEquals(
      (await set({ text: '{"n":2}', ifRevision: 2 })).status,
      "unchanged",
    );
    assertEquals(await post("delete", { ...A, ifRevision: 2 }), {
      status: "deleted",
      revision: 3,
      version: 0,
    });
    assertEquals(await store.has("k", "a"), false);
    assertEquals(
      await post("restore", { ...A, at: 1, ifRevision: 0 }),
      { status: "created", revision: 4, version: 1 },
    );
    assertEquals(await store.get("k", "a"), { n: 1 });
    assertEquals(
      (await post<WriteAnswer>("restore", { ...A, at: 2, ifRevision: 4 }))
        .status,
      "updated",
    );
    assertEquals(await store.get("k", "a"), { n: 2 });
  },
);

testOnEveryStore(
  "another write in between is not replaced",
  async (open) => {
    await using store = await open();
    await using served = await serveInspector(store, { write: true });
    await store.set("k", "a", 1);
    await store.set("k", "a", 2);
    const writes: [name: string, body: Given][] = [
      ["set", { text: "3", ifRevision: 1 }],
      ["set", { text: "3", ifRevision: 0 }],
      ["delete", { ifRevision: 1 }],
      ["restore", { at: 1, ifRevision: 1 }],
    ];
    for (const [name, body] of writes) {
      const { status, code, foundRevision } = await served.postRefusal(name, {
        ...A,
        ...body,
      });
      assertEquals([status, code, foundRevision], [409, "VERSION_CONFLICT", 2]);
    }
    await store.delete("k", "a");
    const gone = await served.postRefusal("set", {
      ...A,
      text: "3",
      ifRevision: 2,
    });
    assertEquals([gone.code, gone.foundRevision], ["VERSION_CONFLICT", 0]);
    assertEquals(await store.kinds(), []);
  },
);

testOnEveryStore("without write, nothing is written", async (open) => {
  await using store = await open();
  await store.set("k", "a", 1);
  await using served = await serveInspector(store);
  const writes: [name: string, body: Given][] = [
    ["set", { text: "3", ifRevision: 1 }],
    ["delete", { ifRevision: 1 }],
    ["restore", { at: 1, ifRevision: 1 }],
  ];
  for (const [name, body] of writes) {
    const { status, code, message } = await served.postRefusal(name, {
      ...A,
      ...body,
    });
    assertEquals([status, code], [403, "READ_ONLY"]);
    assert(message.includes("--write"), message);
  }
  assertEquals(await store.get("k", "a"), 1);
});

test("a store that was opened to be read only cannot be written, and the session says so", async () => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await (await openStore({ path, driver: "builtin" })).close();
  await using store = await openStore({
    path: `file:${path}?mode=ro`,
    driver: "builtin",
  });
  await using served = await serveInspector(store, { write: true });
  const session = await served.get<Given>("session");
  assertEquals(session.canWrite, false);
  const { code } = await served.postRefusal("set", {
    ...A,
    text: "1",
    ifRevision: 0,
  });
  assertEquals(code, "READ_ONLY");
});

testOnEveryStore("the expiry is kept, taken away or set", async (open) => {
  await using store = await open();
  await using served = await serveInspector(store, { write: true });
  const { revision } = await store.set("k", "a", 1, { expireIn: 3_600_000 });
  const { expiresAt } = (await store.entry("k", "a"))!;
  const set = (body: Given) =>
    served.post<WriteAnswer>("set", { ...A, ...body });
  const kept = await set({ text: "2", ifRevision: revision });
  assertEquals((await store.entry("k", "a"))!.expiresAt, expiresAt);
  const none = await set({
    text: "3",
    ifRevision: kept.revision,
    expiry: "none",
  });
  assertEquals((await store.entry("k", "a"))!.expiresAt, undefined);
  await set({ text: "4", ifRevision: none.revision, expiry: 7_200_000 });
  const entry = (await store.entry("k", "a"))!;
  assert(entry.expiresAt! > expiresAt!, `${entry.expiresAt}`);
  for (const expiry of [0, -1, "soon", 1e300, null, "NaN", {}]) {
    const refusal = await served.postRefusal("set", {
      ...A,
      text: "5",
      ifRevision: entry.revision,
      expiry,
    });
    assertEquals(refusal.parameter, "expiry");
  }
});

testOnEveryStore(
  "a refusal of the schema has its place in the value",
  async (open) => {
    const users = z.object({
      name: z.string().min(1),
      tags: z.array(z.string()),
    });
    await using store = await open({ schemas: { users } });
    await using served = await serveInspector(store, { write: true });
    const refusal = await served.postRefusal("set", {
      kind: "users",
      key: "eve",
      text: '{"name": "", "tags": ["a", 1]}',
      ifRevision: 0,
    });
    assertEquals([refusal.status, refusal.code], [422, "VALIDATION"]);
    assertEquals(refusal.issues!.map(({ path }) => path), [
      ["name"],
      ["tags", 1],
    ]);
    assertEquals(await store.kinds(), []);
  },
);

testOnEveryStore(
  "an invalid text is an error with its place",
  async (open) => {
    await using store = await open();
    await using served = await serveInspector(store, { write: true });
    const refuse = async (text: string, language = "json") => {
      const { status, code, place, message } = await served.postRefusal("set", {
        ...A,
        text,
        language,
        ifRevision: 0,
      });
      assertEquals([status, code], [422, "SYNTAX"], text);
      assert(!message.includes("\n"), message);
      return place;
    };
    assertEquals(await refuse('{\n  "a": 1,\n  b\n}'), { line: 3, column: 3 });
    assertEquals(await refuse('{"a": 12345678901234567890}'), {
      line: 1,
      column: 7,
    });
    assertEquals(await refuse('{"a": 1, "a": 2}'), { line: 1, column: 10 });
    assertEquals((await refuse("a: [", "yaml"))!.line, 2);
    await refuse("");
    await refuse("at: 2020-01-01", "yaml");
    assertEquals(await store.kinds(), []);
  },
);

testOnEveryStore(
  "a number keeps its digits, and a value of another program its bytes",
  async (open) => {
    await using store = await open({ codec: exactJson });
    await using served = await serveInspector(store, { write: true });
    // As another program wrote it.
    const digits = JSON.parse(
      '{"n": 12345678901234567890}',
      (_key, value, context?: { source: string }) =>
        typeof value === "number"
          ? (JSON as unknown as { rawJSON(text: string): unknown })
            .rawJSON(context!.source)
          : value,
    );
    await store.set("k", "a", digits);
    const entry = await served.get<EntryAnswer>("entry", A);
    assert(entry.value.state === "text");
    assertEquals(entry.value.text, '{\n  "n": 12345678901234567890\n}');
    assertEquals(entry.canEdit, false);
    await store.set("k", "a", 1);
    await served.post("restore", { ...A, at: 1, ifRevision: 2 });
    const again = await served.get<EntryAnswer>("entry", A);
    assertEquals(again.value, entry.value);
  },
);

testOnEveryStore(
  "a value that a codec refuses is an error, and an undecodable one can be deleted",
  async (open) => {
    const codec = {
      ...structured,
      name: "numbers",
      encode(value: unknown) {
        if (typeof value !== "number") throw new TypeError("it is no number");
        return structured.encode(value);
      },
      decode(bytes: Uint8Array) {
        const value = structured.decode(bytes);
        if (value === 13) throw new TypeError("it is unlucky");
        return value;
      },
    };
    await using store = await open({ codec });
    await store.set("k", "a", 13);
    await using served = await serveInspector(store, { write: true });
    const refusal = await served.postRefusal("set", {
      ...A,
      text: '"x"',
      ifRevision: 1,
    });
    assertEquals([refusal.status, refusal.code], [422, "CODEC"]);
    const restored = await served.postRefusal("restore", {
      ...A,
      at: 1,
      ifRevision: 1,
    });
    assertEquals(restored.code, "CODEC");
    await served.post("delete", { ...A, ifRevision: 1 });
    assertEquals(await store.kinds(), []);
  },
);

test("an asynchronous schema takes values, but keeps no expiry", async () => {
  const schema = z.string().refine(async (text) =>
    await Promise.resolve(text !== "bad")
  );
  await using store = await openMemoryStore({ schemas: { k: schema } });
  await using served = await serveInspector(store, { write: true });
  await served.post("set", {
    ...A,
    text: '"good"',
    ifRevision: 0,
    expiry: 1e7,
  });
  const bad = { ...A, text: '"bad"', ifRevision: 1, expiry: "none" };
  assertEquals((await served.postRefusal("set", bad)).code, "VALIDATION");
  const kept = { ...A, text: '"other"', ifRevision: 1 };
  const { status, code } = await served.postRefusal("set", kept);
  assertEquals([status, code], [422, "UNSUPPORTED"]);
});

testOnEveryStore("bodies that make no sense are refused", async (open) => {
  await using store = await open();
  await using served = await serveInspector(store, { write: true });
  const good = { ...A, text: "1", ifRevision: 0 };
  const cases: [name: string, body: unknown, code?: string][] = [
    ["set", null],
    ["set", []],
    ["set", "text"],
    ["set", {}],
    ["set", { ...good, kind: undefined }],
    ["set", { ...good, kind: 1 }],
    ["set", { ...good, kind: "" }, "INVALID_NAME"],
    ["set", { ...good, key: "\0" }, "INVALID_NAME"],
    ["set", { ...good, key: "\ud800" }, "INVALID_NAME"],
    ["set", { ...good, text: undefined }],
    ["set", { ...good, text: 1 }],
    ["set", { ...good, ifRevision: undefined }],
    ["set", { ...good, ifRevision: "0" }],
    ["set", { ...good, ifRevision: -1 }],
    ["set", { ...good, ifRevision: 1.5 }],
    ["set", { ...good, language: "xml" }],
    ["set", { ...good, ifVersion: 1 }],
    ["delete", { ...A }],
    ["delete", { ...A, ifRevision: 0 }],
    ["restore", { ...A, ifRevision: 0 }],
    ["restore", { ...A, ifRevision: 0, at: 0 }, "NOT_FOUND"],
    ["restore", { ...A, ifRevision: 0, at: 5 }, "REVISION_UNAVAILABLE"],
    ["verify", { deep: true }],
  ];
  for (const [name, body, code = "BAD_REQUEST"] of cases) {
    const refusal = await served.postRefusal(name, body);
    assertEquals(refusal.code, code, `${name} ${JSON.stringify(body)}`);
  }
  for (const body of ["{", "", '{"kind": "k"', "\ud800"]) {
    const response = await served.fetch("api/set", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    assertEquals(response.status, 400, body);
    await response.body?.cancel();
  }
  const bytes = await served.fetch("api/set", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new Uint8Array([0x22, 0xff, 0x22]),
  });
  assertEquals(bytes.status, 400);
  await bytes.body?.cancel();
  assertEquals(await store.kinds(), []);
});

test("a body is read no further than its limit", async () => {
  await using store = await openMemoryStore();
  await using served = await serveInspector(store, { write: true });
  const { inspect, base, cookie } = served;
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    },
  });
  const response = await inspect(
    new Request(`${base}api/set`, {
      method: "POST",
      headers: { cookie, "content-type": "application/json" },
      body,
    }),
  );
  const { error } = await response.json();
  assertEquals([response.status, error.code], [413, "TOO_LARGE"]);
  assert(sent < MOST_BODY + 1_000_000, `${sent} bytes`);
});
