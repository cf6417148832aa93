/**
 * What the inspector's API tells of a store's health.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { InfoAnswer, VerifyAnswer } from "../../src/inspector/api.ts";
import { openStore } from "../../mod.ts";
import { Verifier } from "../../src/inspector/health.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { testOnEveryStore } from "../support/inspector/every_store.ts";
import { drivers } from "../support/drivers.ts";
import { serveInspector } from "../support/inspector/serve.ts";
import { connect, fileAt } from "../support/connect.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

testOnEveryStore(
  "info describes the store in words for people",
  async (open) => {
    await using store = await open();
    await store.setAll("users", { alice: 1, bob: 2 });
    await using served = await serveInspector(store);
    const info = await served.get<InfoAnswer>("info");
    assertEquals(info.kinds, [{ kind: "users", count: 2, codec: "json" }]);
    assertEquals(info.log, { oldest: 1, newest: 2, count: 2 });
    const names = info.facts.map(({ name }) => name);
    assert(names.includes("format") || names.includes("driver"), names.join());
    assert(!names.includes("kinds") && !names.includes("log"), names.join());
    for (const { title, value } of info.facts) {
      assert(title !== "" && value !== undefined && typeof value !== "object");
    }
  },
);

test("info has the sizes of a file, and its path", async () => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openStore({ path, driver: "builtin" });
  await store.set("k", "a", 1);
  await using served = await serveInspector(store);
  const { facts } = await served.get<InfoAnswer>("info");
  const fact = (name: string) => facts.find((it) => it.name === name);
  assertEquals(fact("path")?.value, path);
  assertEquals(fact("size")?.unit, "bytes");
  assert(fact("walSize")!.value as number > 0);
  assertEquals(fact("journalMode")?.value, "wal");
  assertEquals(fact("codecs")?.value, "json");
});

testOnEveryStore("a sound store has no findings", async (open) => {
  await using store = await open();
  await store.set("k", "a", 1);
  await using served = await serveInspector(store);
  const { findings, took, startedAt } = await served.post<VerifyAnswer>(
    "verify",
    {},
  );
  assertEquals(findings, []);
  assert(took >= 0 && !Number.isNaN(Date.parse(startedAt)));
});

test("requests during a verification get the same answer", async () => {
  await using store = await openMemoryStore();
  let calls = 0;
  store.verify = async () => {
    calls++;
    return await Promise.resolve([]);
  };
  const verifier = new Verifier(store);
  const [one, two] = await Promise.all([verifier.verify(), verifier.verify()]);
  assertEquals([one, calls], [two, 1]);
  await verifier.verify();
  assertEquals(calls, 2);
  store.verify = () => Promise.reject(new Error("It is away"));
  await assertRejects(() => verifier.verify(), Error, "It is away");
  await assertRejects(() => verifier.verify(), Error, "It is away");
});

test("findings are reported", async () => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openStore({ path, driver: "builtin" });
  await store.set("k", "a", 1);
  {
    using connection = await connect(drivers[0], fileAt(path));
    connection.exec(`UPDATE zestor_kv SET value = x'7b'`);
  }
  await using served = await serveInspector(store);
  const { findings } = await served.post<VerifyAnswer>("verify", {});
  assert(findings.length > 0);
  assertEquals(findings[0].kind, "k");
  assertEquals(findings[0].key, "a");
});
