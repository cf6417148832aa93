/**
 * What the inspector's API tells of the past: how far the log reaches, and the
 * changes in it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type {
  ChangesPage,
  EntriesPage,
  LogAnswer,
  PastChange,
  ShownValue,
} from "../../src/inspector/api.ts";
import { testOnEveryStore } from "../support/inspector/every_store.ts";
import {
  type Given,
  serveInspector,
  type Session,
} from "../support/inspector/serve.ts";

/** All changes, page after page. */
async function allChanges(
  { get }: Session,
  query: Given,
): Promise<PastChange[]> {
  const found: PastChange[] = [];
  for (let before: Given = {};;) {
    const page = await get<ChangesPage>("changes", { ...query, ...before });
    found.push(...page.changes);
    if (page.next === undefined) return found;
    before = { before: page.next };
  }
}

function textOf(value: ShownValue | undefined): string | undefined {
  return value?.state === "text" ? value.text : value?.state;
}

testOnEveryStore("the log tells how far it reaches, and when", async (open) => {
  await using store = await open({ history: 5 });
  await using served = await serveInspector(store);
  const read = (query?: Given) => served.get<LogAnswer>("log", query);
  assertEquals(await read(), { first: 0, moments: [] });
  assertEquals(await read({ moments: 10 }), { first: 0, moments: [] });

  const before = Date.now();
  await store.set("k", "a", 0);
  const one = await read({ moments: 3 });
  assertEquals([one.first, one.oldest!.revision, one.newest!.revision], [
    0,
    1,
    1,
  ]);
  assertEquals(one.moments.length, 1);
  const changedAt = Date.parse(one.newest!.changedAt!);
  assert(Math.abs(changedAt - before) < 60_000, one.newest!.changedAt);

  for (let i = 1; i < 60; i++) await store.set("k", "a", i);
  const many = await read({ moments: 3 });
  assertEquals(many.newest!.revision, 60);
  assert(many.oldest!.revision > 1, "it is pruned");
  assertEquals(many.first, many.oldest!.revision - 1);
  const revisions = many.moments.map(({ revision }) => revision);
  assertEquals(revisions, [...revisions].sort((a, b) => a - b));
  assertEquals([revisions[0], revisions.at(-1)], [
    many.oldest!.revision,
    60,
  ]);

  // Each of these can be read, and none before.
  for (const at of [many.first, 60]) {
    const page = await served.get<EntriesPage>("entries", { kind: "k", at });
    assertEquals(textOf(page.entries[0].preview), `${at - 1}`);
  }
  const { code } = await served.refusal("entries", {
    kind: "k",
    at: many.first - 1,
  });
  assertEquals(code, "REVISION_UNAVAILABLE");
});

testOnEveryStore(
  "the history of a key has the values before and after",
  async (open) => {
    await using store = await open();
    await store.set("k", "a", { x: 1 });
    await store.set("k", "other", 0);
    await store.set("k", "a", { x: 2 });
    await store.delete("k", "a");
    await store.set("k", "a", { x: 3 }, { expireIn: 3_600_000 });
    await using served = await serveInspector(store);
    const query = { kind: "k", key: "a", limit: 1 };
    const changes = await allChanges(served, query);
    assertEquals(
      changes.map(({ revision, type, version, size, before, after }) => [
        revision,
        type,
        version,
        size,
        textOf(before),
        textOf(after),
      ]),
      [
        [5, "create", 1, 7, undefined, '{"x":3}'],
        [4, "delete", 2, 7, '{"x":2}', undefined],
        [3, "update", 2, 7, '{"x":1}', '{"x":2}'],
        [1, "create", 1, 7, undefined, '{"x":1}'],
      ],
    );
    assert(changes[0].expiresAt !== undefined);
    for (const { changedAt } of changes) {
      assert(!Number.isNaN(Date.parse(changedAt!)));
    }
    const [{ after }] = await allChanges(served, { ...query, text: 1000 });
    assertEquals(textOf(after), '{\n  "x": 3\n}');
    const [asYaml] = await allChanges(served, {
      ...query,
      text: 1000,
      language: "yaml",
    });
    assertEquals(textOf(asYaml.after), "x: 3\n");
  },
);

testOnEveryStore(
  "the changes of all kinds, of a kind and of a prefix come from the newest",
  async (open) => {
    await using store = await open();
    await store.setAll("a", { x1: 1, x2: 2, y: 3 });
    await store.setAll("b", { x1: 4 });
    await store.deleteAll("a", { prefix: "x" });
    await using served = await serveInspector(store);
    const names = async (query: Given) =>
      (await allChanges(served, query)).map(({ kind, key, type }) =>
        `${type[0]} ${kind}/${key}`
      );
    assertEquals(await names({ limit: 4 }), [
      "d a/x2",
      "d a/x1",
      "c b/x1",
      "c a/y",
      "c a/x2",
      "c a/x1",
    ]);
    assertEquals(await names({ kind: "b" }), ["c b/x1"]);
    assertEquals(await names({ kind: "a", prefix: "x2", limit: 1 }), [
      "d a/x2",
      "c a/x2",
    ]);
    assertEquals(await names({ kind: "none" }), []);
    assertEquals(await names({ before: 2 }), ["c a/x1"]);
    assertEquals(await names({ before: 0 }), []);
    assertEquals((await names({ before: 1_000_000 })).length, 6);
  },
);

testOnEveryStore("the log can be read while it is pruned", async (open) => {
  await using store = await open({ history: 10 });
  await store.set("k", "a", -1);
  await using served = await serveInspector(store);
  let isWriting = true;
  const writing = (async () => {
    for (let i = 0; isWriting; i++) {
      await store.set("k", "a", i);
      // In this process the server has to have its turn.
      await new Promise((resolve) => setTimeout(resolve));
    }
  })();
  try {
    for (let i = 0; i < 20; i++) {
      const log = await served.get<LogAnswer>("log", { moments: 3 });
      assert(log.newest!.revision >= log.oldest!.revision);
      await served.get<ChangesPage>("changes");
    }
  } finally {
    isWriting = false;
    await writing;
  }
});

testOnEveryStore("changes that make no sense are refused", async (open) => {
  await using store = await open();
  await using served = await serveInspector(store);
  const cases: [name: string, query: Given][] = [
    ["changes", { key: "a" }],
    ["changes", { prefix: "a" }],
    ["changes", { kind: "k", key: "a", prefix: "a" }],
    ["changes", { kind: "k", before: -1 }],
    ["changes", { kind: "k", before: "z1-1-abc" }],
    ["changes", { kind: "k", limit: 0 }],
    ["changes", { kind: "k", text: 0 }],
    ["changes", { kind: "k", at: 1 }],
    ["log", { moments: 1_000_000 }],
    ["log", { moments: -1 }],
  ];
  for (const [name, query] of cases) {
    const { status, code } = await served.refusal(name, query);
    assertEquals([status, code], [400, "BAD_REQUEST"], JSON.stringify(query));
  }
  assertEquals(
    (await served.refusal("changes", { kind: "" })).code,
    "INVALID_NAME",
  );
});
