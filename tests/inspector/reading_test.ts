/**
 * What the inspector's API reads: kinds, pages of entries, counts, single
 * entries, whatever they hold.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type {
  CountAnswer,
  EntriesPage,
  EntryAnswer,
  InfoAnswer,
  KindsAnswer,
  Session,
} from "../../src/inspector/api.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { structured } from "../../src/values/codecs/structured.ts";
import { yaml } from "../../src/values/codecs/yaml.ts";
import { type Codec, openStore, type Store } from "../../mod.ts";
import { createGoFile } from "../support/go_file.ts";
import { tempDir } from "../support/temp_dir.ts";
import { drivers } from "../support/drivers.ts";
import { testOnEveryStore } from "../support/inspector/every_store.ts";
import {
  type Given,
  serveInspector,
  type Session as Browser,
} from "../support/inspector/serve.ts";

const [{ test }] = drivers;

/** Keys of every kind of character that one can have. */
const KEYS = [
  "a",
  "a/b",
  "../..",
  "..",
  ".",
  "%2e%2e%2f",
  "%",
  "a b+c&d=e?f#g",
  "<script>alert(1)</script>",
  "\"'`\\",
  "\n\r\t\u0001\u007f",
  "\u202eabc\u2066",
  "\ufeff\ufffd\u2028",
  "日本語 😀",
  "e\u0301",
  "\u00e9",
  "__proto__",
  "constructor",
  "k".repeat(500),
];

/** The keys of all pages of a range, one page after the other. */
async function pages(
  { get }: Browser,
  query: Given & { kind: string },
): Promise<string[][]> {
  const found: string[][] = [];
  for (let past: Given = {};;) {
    const page: EntriesPage = await get("entries", { ...query, ...past });
    found.push(page.entries.map(({ key }) => key));
    if (!page.hasMore) return found;
    past = { past: page.entries.at(-1)!.key };
  }
}

testOnEveryStore(
  "the session has all that the page needs",
  async (open) => {
    await using store = await open();
    await using served = await serveInspector(store);
    const session = await served.get<Session>("session");
    assertEquals(session.canWrite, false);
    assert(session.readOnlyReason!.includes("--write"));
    assert(session.location !== "" && !session.location.includes("@:"));
    assert(["sqlite", "memory", "postgres"].includes(session.engine));
    assertEquals(session.schema !== undefined, session.engine === "postgres");
  },
);

testOnEveryStore(
  "kinds have their counts, at present and at a revision",
  async (open) => {
    await using store = await open();
    await using served = await serveInspector(store);
    const counts = async (query?: Given) => {
      const { revision, kinds } = await served.get<KindsAnswer>("kinds", query);
      return [
        revision,
        ...kinds.map(({ kind, count, codec }) => `${kind} ${count} ${codec}`),
      ];
    };
    assertEquals(await counts(), [0]);
    await store.setAll("users", { alice: 1, bob: 2 });
    await store.set("a/<b>", "x", 1);
    const { revision } = await store.set("users", "eve", 3);
    await store.delete("a/<b>", "x");
    assertEquals(await counts(), [revision + 1, "users 3 json"]);
    assertEquals(await counts({ at: revision }), [
      revision,
      "a/<b> 1 json",
      "users 3 json",
    ]);
    assertEquals(await counts({ at: 2 }), [2, "users 2 json"]);
    assertEquals(await counts({ at: 0 }), [0]);
  },
);

testOnEveryStore(
  "pages go forward and back by their keys, and tell whether there is a rest",
  async (open) => {
    await using store = await open();
    const keys = Array.from({ length: 10 }, (_, i) => `k${i}`);
    await store.setAll("n", keys.map((key, i) => [key, i]));
    await store.setAll("other", { k1: 1 });
    await using served = await serveInspector(store);
    const kind = "n";
    assertEquals(await pages(served, { kind, limit: 4 }), [
      ["k0", "k1", "k2", "k3"],
      ["k4", "k5", "k6", "k7"],
      ["k8", "k9"],
    ]);
    // A last page that is full is the last one.
    assertEquals((await pages(served, { kind, limit: 5 })).length, 2);
    assertEquals((await pages(served, { kind, limit: 10 })).length, 1);
    assertEquals(await pages(served, { kind, limit: 4, reverse: 1 }), [
      ["k9", "k8", "k7", "k6"],
      ["k5", "k4", "k3", "k2"],
      ["k1", "k0"],
    ]);
    // The page before one that begins with k4.
    assertEquals(
      (await pages(served, { kind, limit: 9, past: "k4", reverse: 1 }))[0],
      ["k3", "k2", "k1", "k0"],
    );
    assertEquals(await pages(served, { kind, start: "k2", end: "k4" }), [
      ["k2", "k3"],
    ]);
    const within = { kind, start: "k2", end: "k6" };
    assertEquals(await pages(served, { ...within, past: "a" }), [
      ["k2", "k3", "k4", "k5"],
    ]);
    assertEquals(await pages(served, { ...within, past: "z", reverse: 1 }), [
      ["k5", "k4", "k3", "k2"],
    ]);
    assertEquals(await pages(served, { ...within, past: "z" }), [[]]);
    assertEquals(await pages(served, { kind, prefix: "k9" }), [["k9"]]);
    assertEquals(await pages(served, { kind: "none" }), [[]]);

    await store.deleteAll("n", { start: "k2" });
    assertEquals(await pages(served, { kind }), [["k0", "k1"]]);
    assertEquals(await pages(served, { kind, at: 10, prefix: "k", limit: 9 }), [
      keys.slice(0, 9),
      ["k9"],
    ]);
  },
);

testOnEveryStore(
  "an entry has its version, revision, times and size",
  async (open) => {
    await using store = await open();
    await store.set("users", "alice", { name: "A" });
    const { revision } = await store.set("users", "alice", { name: "Ä" }, {
      expireIn: 3_600_000,
    });
    await using served = await serveInspector(store);
    const query = { kind: "users", key: "alice" };
    const { updatedAt, expiresAt, value, ...rest } = await served.get<
      EntryAnswer
    >("entry", query);
    assertEquals(rest, {
      ...query,
      size: 13,
      codec: "json",
      version: 2,
      revision,
      canEdit: true,
    });
    const text = '{\n  "name": "Ä"\n}';
    assertEquals(value, {
      state: "text",
      language: "json",
      text,
      length: text.length,
      isCut: false,
    });
    const entry = await store.entry("users", "alice");
    assertEquals(new Date(updatedAt), entry!.updatedAt);
    assertEquals(new Date(expiresAt!), entry!.expiresAt);

    const past = await served.get<EntryAnswer>("entry", {
      ...query,
      at: 1,
      language: "yaml",
    });
    assertEquals([past.version, past.expiresAt], [1, undefined]);
    assertEquals(past.value.state === "text" && past.value.text, "name: A\n");
    const page = await served.get<EntriesPage>("entries", { kind: "users" });
    assertEquals(page.entries.map(({ preview: _, ...row }) => row), [{
      key: "alice",
      size: 13,
      version: 2,
      revision,
      updatedAt,
      expiresAt,
    }]);
  },
);

testOnEveryStore(
  "keys with any characters are found, and returned unchanged",
  async (open) => {
    await using store = await open();
    await store.setAll("k", KEYS.map((key, i) => [key, i]));
    await using served = await serveInspector(store);
    const found = (await pages(served, { kind: "k", limit: 2 })).flat();
    assertEquals(found, await store.keys("k"));
    assertEquals(found.length, KEYS.length);
    for (const [i, key] of KEYS.entries()) {
      const entry = await served.get<EntryAnswer>("entry", { kind: "k", key });
      assertEquals(entry.key, key);
      assertEquals(entry.value.state === "text" && entry.value.text, `${i}`);
    }
    const page = await served.get<EntriesPage>("entries", {
      kind: "k",
      prefix: "<script>",
    });
    assertEquals(page.entries.map(({ key }) => key), [
      "<script>alert(1)</script>",
    ]);
  },
);

testOnEveryStore("a range is counted", async (open) => {
  await using store = await open();
  await store.setAll("n", { a1: 1, a2: 2, b: 3 });
  await using served = await serveInspector(store);
  const count = (query: Given) =>
    served.get<CountAnswer>("count", { kind: "n", ...query });
  assertEquals(await count({}), { count: 3, isMore: false });
  assertEquals(await count({ prefix: "a" }), { count: 2, isMore: false });
  assertEquals(await count({ prefix: "a", at: 1 }), {
    count: 1,
    isMore: false,
  });
});

/** What does the store's own, but decodes nothing that begins with "bad". */
const picky: Codec = {
  name: "picky",
  encode: (value) => new TextEncoder().encode(String(value)),
  decode(bytes) {
    const text = new TextDecoder().decode(bytes);
    if (text.startsWith("bad")) throw new Error("it is <bad>");
    return text;
  },
};

testOnEveryStore(
  "a value that cannot be decoded is shown by its bytes, among the others",
  async (open) => {
    await using store = await open({ codec: picky });
    await store.setAll("k", { a: "good", b: "bad".repeat(1000), c: "good" });
    await using served = await serveInspector(store);
    const { entries } = await served.get<EntriesPage>("entries", { kind: "k" });
    assertEquals(
      entries.map(({ key, size, preview }) => [key, size, preview.state]),
      [
        ["a", 4, "text"],
        ["b", 3000, "unreadable"],
        ["c", 4, "text"],
      ],
    );
    const entry = await served.get<EntryAnswer>("entry", {
      kind: "k",
      key: "b",
    });
    assert(entry.value.state === "unreadable");
    assert(entry.value.message.includes("it is <bad>"), entry.value.message);
    assert(entry.value.bytes.startsWith("626164626164"));
    assertEquals([entry.value.isCut, entry.canEdit], [true, false]);
    const file = await served.fetch("api/value?kind=k&key=b");
    assertEquals(file.headers.get("content-type"), "application/octet-stream");
    assertEquals(await file.text(), "bad".repeat(1000));
  },
);

testOnEveryStore(
  "values of other codecs are YAML if JSON cannot express them",
  async (open) => {
    const values = {
      date: new Date(0),
      map: new Map([["a", new Set([1n])]]),
      cycle: cyclic(),
      plain: { a: 1 },
    };
    await using store = await open({ codec: structured });
    await store.setAll("k", values);
    await using served = await serveInspector(store);
    const read = async (key: string, language: "json" | "yaml") => {
      const { value, canEdit, editReason } = await served.get<EntryAnswer>(
        "entry",
        { kind: "k", key, language },
      );
      assert(value.state === "text");
      assertEquals(canEdit, editReason === undefined);
      return [value.language, value.text, canEdit];
    };
    assertEquals(await read("date", "yaml"), [
      "yaml",
      "1970-01-01T00:00:00.000Z\n",
      true,
    ]);
    assertEquals(await read("date", "json"), [
      "json",
      '"1970-01-01T00:00:00.000Z"',
      false,
    ]);
    assertEquals(await read("map", "json"), [
      "yaml",
      '!!omap [{"a": !!set {1: null}}]\n',
      false,
    ]);
    assertEquals(await read("cycle", "json"), [
      "yaml",
      '&1 {"self": *1}\n',
      false,
    ]);
    assertEquals(await read("plain", "json"), ["json", '{\n  "a": 1\n}', true]);
  },
);

function cyclic(): object {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  return cycle;
}

testOnEveryStore(
  "a codec that gives its bytes away does not change answers",
  async (open) => {
    const codec: Codec = {
      ...structured,
      name: "giving",
      decode(bytes) {
        const value = structured.decode(bytes);
        structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
        return value;
      },
    };
    await using store = await open({ codec });
    await store.set("k", "a", { x: 1 });
    await using served = await serveInspector(store);
    const entry = await served.get<EntryAnswer>("entry", {
      kind: "k",
      key: "a",
    });
    assertEquals([entry.canEdit, entry.value.state], [true, "text"]);
    const { entries } = await served.get<EntriesPage>("entries", { kind: "k" });
    assertEquals(entries[0].size, entry.size);
    assert(entry.size > 0);
  },
);

testOnEveryStore("a store in YAML is shown in YAML", async (open) => {
  await using store = await open({ codec: yaml });
  await store.set("k", "a", { at: new Date(0) });
  await using served = await serveInspector(store);
  const { value, codec } = await served.get<EntryAnswer>("entry", {
    kind: "k",
    key: "a",
  });
  assertEquals(codec, "yaml");
  assert(value.state === "text");
  assertEquals(value.text, "at: 1970-01-01T00:00:00.000Z\n");
});

testOnEveryStore(
  "a large value is cut, with its length, and can be downloaded whole",
  async (open) => {
    await using store = await open();
    const long = "😀".repeat(200_000);
    await store.setAll("k", { a: "short", b: long, c: "short" });
    await using served = await serveInspector(store);
    const { entries } = await served.get<EntriesPage>("entries", { kind: "k" });
    assertEquals(
      entries.map(({ key, size, preview }) => [key, size, preview.state]),
      [["a", 7, "text"], ["b", 800_002, "large"], ["c", 7, "text"]],
    );
    const query = { kind: "k", key: "b" };
    const read = async (more?: Given) => {
      const answer = await served.get<EntryAnswer>("entry", {
        ...query,
        ...more,
      });
      assert(answer.value.state === "text");
      return { ...answer.value, canEdit: answer.canEdit };
    };
    const cut = await read();
    assertEquals([cut.length, cut.isCut, cut.canEdit], [400_002, true, false]);
    // Half a character would be no text.
    assert(cut.text.length <= 262_144 && cut.text.isWellFormed());
    const whole = await read({ text: 1_000_000 });
    assertEquals([whole.isCut, whole.canEdit], [false, true]);
    assertEquals(whole.text, JSON.stringify(long));
    const file = await served.fetch("api/value?kind=k&key=b");
    assertEquals(
      file.headers.get("content-disposition"),
      'attachment; filename="value.json"',
    );
    assertEquals(await file.text(), JSON.stringify(long));
  },
);

testOnEveryStore(
  "a page of large values ends early, and says that there are more",
  async (open) => {
    await using store = await open();
    const large = "x".repeat(400_000);
    await store.setAll(
      "k",
      Array.from({ length: 6 }, (_, i) => [`${i}`, large]),
    );
    await using served = await serveInspector(store);
    const found = await pages(served, { kind: "k" });
    assertEquals(found.flat(), ["0", "1", "2", "3", "4", "5"]);
    assert(found.length > 1, `${found.length}`);
  },
);

test("text of a value neither turns the direction nor becomes markup", async () => {
  await using store = await openMemoryStore();
  await store.set("k", "a", "<script>\u202e</script>");
  await using served = await serveInspector(store);
  const { value } = await served.get<EntryAnswer>("entry", {
    kind: "k",
    key: "a",
  });
  assert(value.state === "text");
  assertEquals(value.text, '"<script>\\u202e</script>"');
  const file = await served.fetch("api/value?kind=k&key=a");
  assertEquals(file.headers.get("content-type"), "text/plain; charset=utf-8");
  await file.body?.cancel();
});

testOnEveryStore(
  "an invalid parameter is refused by name",
  async (open) => {
    await using store = await open();
    await store.set("k", "a", 1);
    await using served = await serveInspector(store);
    const cases: [name: string, query: Given, status: number, code: string][] =
      [
        ["entries", {}, 400, "BAD_REQUEST"],
        ["entries", { kind: "" }, 400, "INVALID_NAME"],
        ["entries", { kind: "a\0b" }, 400, "INVALID_NAME"],
        ["entries", { kind: "k", limit: 0 }, 400, "BAD_REQUEST"],
        ["entries", { kind: "k", limit: 1e9 }, 400, "BAD_REQUEST"],
        ["entries", { kind: "k", limit: "1.5" }, 400, "BAD_REQUEST"],
        ["entries", { kind: "k", limit: "-1" }, 400, "BAD_REQUEST"],
        ["entries", { kind: "k", limit: "" }, 400, "BAD_REQUEST"],
        ["entries", { kind: "k", reverse: "yes" }, 400, "BAD_REQUEST"],
        ["entries", { kind: "k", start: "b", end: "a" }, 400, "BAD_REQUEST"],
        ["entries", { kind: "k", prefix: "a\0" }, 400, "INVALID_NAME"],
        ["entries", { kind: "k", kinds: "k" }, 400, "BAD_REQUEST"],
        ["entries", { kind: "k", at: 99 }, 410, "REVISION_UNAVAILABLE"],
        ["entries", { kind: "k", at: "x" }, 400, "BAD_REQUEST"],
        ["entries", { kind: "k", at: 2 ** 53 }, 400, "BAD_REQUEST"],
        ["kinds", { at: 99 }, 410, "REVISION_UNAVAILABLE"],
        ["kinds", { kind: "k" }, 400, "BAD_REQUEST"],
        ["entry", { kind: "k" }, 400, "BAD_REQUEST"],
        ["entry", { kind: "k", key: "none" }, 404, "NOT_FOUND"],
        ["entry", { kind: "none", key: "a" }, 404, "NOT_FOUND"],
        ["entry", { kind: "k", key: "a", at: 0 }, 404, "NOT_FOUND"],
        ["entry", { kind: "k", key: "a", language: "xml" }, 400, "BAD_REQUEST"],
        ["value", { kind: "k", key: "none" }, 404, "NOT_FOUND"],
        ["count", { kind: "k", limit: 1 }, 400, "BAD_REQUEST"],
        ["session", { x: 1 }, 400, "BAD_REQUEST"],
      ];
    for (const [name, query, status, code] of cases) {
      const refusal = await served.refusal(name, query);
      const what = `${name} ${JSON.stringify(query)}`;
      assertEquals([refusal.status, refusal.code], [status, code], what);
      assert(refusal.message.length > 10, what);
    }
    const { parameter } = await served.refusal("entries", {
      kind: "k",
      limit: 0,
    });
    assertEquals(parameter, "limit");
    const raw: [path: string, status: number][] = [
      ["api/entry?kind=k&key=%ff", 400],
      ["api/entry?kind=k&key=%", 400],
      ["api/entry?kind=k&kind=k&key=a", 400],
      ["api/../api/kinds", 200],
      ["api/%2e%2e/api/kinds", 200],
      ["api/..%2f..%2fetc%2fpasswd", 404],
      ["assets/..%2f..%2fdeno.json", 404],
      ["assets/../../deno.json", 404],
      ["assets/toString", 404],
      ["api/toString", 404],
      ["api/__proto__", 404],
      ["api/kinds/", 200],
      ["deno.json", 404],
    ];
    for (const [path, status] of raw) {
      const response = await served.fetch(path);
      assertEquals(response.status, status, path);
      await response.body?.cancel();
    }
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      for (const path of ["api/kinds", "", "assets/main.ts"]) {
        const response = await served.fetch(path, { method });
        assertEquals(response.status, 405, `${method} ${path}`);
        await response.body?.cancel();
      }
    }
  },
);

test("it works wherever it is mounted", async () => {
  await using store: Store = await openMemoryStore();
  await store.set("k", "a", 1);
  for (const path of ["/", "/inspect/", "/a/b/api/"]) {
    await using served = await serveInspector(store, { path });
    assertEquals((await served.get<KindsAnswer>("kinds")).kinds.length, 1);
    for (const file of ["", "assets/main.ts", "assets/lib/preact.js"]) {
      const response = await served.fetch(file);
      assertEquals(response.status, 200, `${path}${file}`);
      await response.body?.cancel();
    }
  }
});

test("of a store that is closed, that is the answer", async () => {
  const store = await openMemoryStore();
  await using served = await serveInspector(store, { write: true });
  await store.close();
  for (const name of ["kinds", "log", "changes", "info", "events"]) {
    const { status, code } = await served.refusal(name);
    assertEquals([status, code], [503, "CLOSED"], name);
  }
  const refusals = [
    await served.postRefusal("verify", {}),
    await served.postRefusal("set", {
      kind: "k",
      key: "a",
      text: "1",
      ifRevision: 0,
    }),
  ];
  for (const { code } of refusals) assertEquals(code, "CLOSED");
});

test("a file without a change log is shown as it is now", async () => {
  await using dir = await tempDir();
  const path = dir.file("go.db");
  await createGoFile(drivers[0], path);
  await using store = await openStore({
    path: `file:${path}?mode=ro`,
    driver: "builtin",
  });
  await using served = await serveInspector(store);
  const { revision, kinds } = await served.get<KindsAnswer>("kinds");
  assertEquals([revision, kinds], [0, [{
    kind: "k",
    count: 1,
    codec: "json",
  }]]);
  const { entries } = await served.get<EntriesPage>("entries", { kind: "k" });
  assertEquals(entries.map(({ key, version }) => [key, version]), [["a", 3]]);
  const entry = await served.get<EntryAnswer>("entry", { kind: "k", key: "a" });
  assertEquals(entry.version, 3);
  assertEquals((await served.get<InfoAnswer>("info")).log, undefined);
  for (const name of ["log", "changes", "events"]) {
    const { status, code } = await served.refusal(name);
    assertEquals([status, code], [403, "READ_ONLY"], name);
  }
  const { code } = await served.refusal("kinds", { at: 0 });
  assertEquals(code, "REVISION_UNAVAILABLE");
});
