/**
 * A store on the remote engine: what a far engine, several clients and bad
 * lines add to what the conformance suite asks of every store.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
} from "@std/assert";
import {
  KeyNotFoundError,
  StoreError,
  StoreUnavailableError,
  StoreUnsupportedError,
  VersionConflictError,
} from "../../mod.ts";
import { numberedKeys, take } from "../../src/testing/reading.ts";
import { Random, withSeed } from "../support/random.ts";
import {
  openRemoteStore,
  type RemoteStoreOptions,
} from "../support/remote/open_remote_store.ts";
import { Server } from "../support/remote/server.ts";

type Counters = { counters: number };

/** Opens stores of one server. */
async function openStores(
  count: number,
  options: RemoteStoreOptions<Counters> = {},
) {
  const server = new Server();
  return await Promise.all(
    Array.from(
      { length: count },
      () => openRemoteStore<Counters>({ server, ...options }),
    ),
  );
}

Deno.test("two stores on bad lines count to 3000, and each event comes once", () =>
  withSeed("two stores", async (random) => {
    const [a, b] = await openStores(2, { random, cuts: 0.2 });
    await using _a = a;
    await using _b = b;
    await a.set("counters", "n", 0);
    const watches = [a, b].map((store) =>
      store.watch("counters", { key: "n", after: 0 }).getReader()
    );
    const events = watches.map((reader) => take(reader, 3_001));
    await Promise.all([a, b].map(async (store, s) => {
      const own = new Random(`${random.seed} ${s}`);
      for (let calls = 0; calls < 1_500;) {
        const running: Promise<unknown>[] = [];
        for (let i = own.between(1, 60); i > 0 && calls < 1_500; i--, calls++) {
          const sort = own.below(10);
          if (sort === 0) {
            const ifVersion = 1_000_000;
            running.push(assertRejects(
              () => store.set("counters", "n", -1, { ifVersion }),
              VersionConflictError,
            ));
          } else if (sort === 1) {
            running.push(assertRejects(
              () => store.update("counters", "none", (n) => n),
              KeyNotFoundError,
            ));
          } else if (sort === 2) {
            running.push(assertRejects(
              () =>
                store.update("counters", "n", () => {
                  throw new Error("No");
                }),
              Error,
              "No",
            ));
          }
          running.push(store.update("counters", "n", (n) => n + 1));
        }
        await Promise.all(running);
      }
    }));
    const { value, version } = (await b.entry("counters", "n"))!;
    assertEquals([value, version], [3_000, 3_001]);
    const expected = Array.from({ length: 3_001 }, (_, n) => ({
      type: n === 0 ? "create" : "update",
      kind: "counters",
      key: "n",
      value: n,
      version: n + 1,
      revision: n + 1,
    }));
    const [first, second] = await Promise.all(events);
    assertEquals(first.map(({ cursor: _cursor, ...event }) => event), expected);
    assertEquals(second, first);
    await Promise.all(watches.map((reader) => reader.cancel()));
  }));

Deno.test("a watch of one store sees the writes of another, replayed or live", () =>
  withSeed("replayed or live", async (random) => {
    const [a, b] = await openStores(2, { random, cuts: 0.2 });
    await using _a = a;
    await using _b = b;
    const keys = numberedKeys(200);
    await b.setAll("counters", keys.map((key) => [key, 0] as const));
    const writing = (async () => {
      for (let n = 1; n <= 5; n++) {
        await b.setAll("counters", keys.map((key) => [key, n] as const));
      }
    })();
    const watch = a.watch("counters", { initial: true, bufferSize: 16 });
    const seen = new Map<string, number>();
    let updates = 0;
    for await (const { type, key, value } of watch) {
      if (type === "create") assert(!seen.has(key), `${key} came twice`);
      else {
        assertEquals(value, seen.get(key)! + 1, key);
        updates++;
      }
      seen.set(key, value);
      if (seen.size === 200 && [...seen.values()].every((n) => n === 5)) break;
    }
    await writing;
    assertEquals(seen.size, 200);
    assert(updates % 200 === 0, `${updates} updates`);
  }));

Deno.test("W4 a watch sees the writes called after it", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = new Random(`watch ${seed}`);
    const [a, b] = await openStores(2, { random, cuts: 0.1 });
    await using _a = a;
    await using _b = b;
    const before = a.set("counters", "before", 1);
    const reader = a.watch("counters").getReader();
    const after = a.set("counters", "after", 1);
    await Promise.all([before, after]);
    const [{ key, revision }] = await take(reader, 1);
    assertEquals([key, revision], ["after", 2]);
    await reader.cancel();
  }
});

Deno.test("C3 reads see the writes called before them", () =>
  withSeed("program order", async (random) => {
    const [a] = await openStores(1, { random, cuts: 0.2 });
    await using _a = a;
    for (let n = 1; n <= 30; n++) {
      const writing = [
        a.set("counters", "a", n),
        a.update("counters", "b", (b) => b + 1, { initial: 0 }),
      ];
      const reading = [
        a.get("counters", "a"),
        a.list("counters").then((all) => all.get("b")),
        a.list("counters", { where: (key) => key === "a" })
          .then((all) => all.get("a")),
        a.getAll().then((all) => all.get("counters")?.get("b")),
        a.entry("counters", "a").then((entry) => entry?.version),
      ];
      assertEquals(await Promise.all(reading), Array(5).fill(n));
      await Promise.all(writing);
    }
  }));

Deno.test("getAll and a filter read one moment, while another store writes", () =>
  withSeed("one moment", async (random) => {
    const [a, b] = await openStores(2, { random, cuts: 0.1 });
    await using _a = a;
    await using _b = b;
    const keys = numberedKeys(150);
    let isOver = false;
    const writing = (async () => {
      for (let n = 0; !isOver; n++) {
        await b.setAll("counters", keys.map((key) => [key, n] as const));
      }
    })();
    for (let round = 0; round < 20; round++) {
      const all = (await a.getAll()).get("counters") ?? new Map();
      const some = await a.list("counters", { where: () => true });
      for (const found of [all, some]) {
        assert(found.size === 0 || found.size === keys.length);
        assert(new Set(found.values()).size <= 1, "It is of two moments");
      }
    }
    isOver = true;
    await writing;
  }));

Deno.test("a read of one moment is run again if the server has forgotten the moment", async () => {
  const [a] = await openStores(1);
  await using _a = a;
  await a.set("counters", "n", 1);
  const { request } = a.line;
  let dropped = 0;
  a.line.request = (name, ask, signal) => {
    if (name === "kinds" && dropped++ < 2) a.server.dropSnapshots();
    return request.call(a.line, name, ask, signal);
  };
  assertEquals((await a.getAll()).get("counters")?.get("n"), 1);
  assertGreater(dropped, 2);
});

Deno.test("an export whose moment the server has forgotten fails", async () => {
  const [a] = await openStores(1);
  await using _a = a;
  await a.set("counters", "n", 1);
  const reader = a.export().getReader();
  const { request } = a.line;
  a.line.request = (name, ask, signal) => {
    if (name === "entries") a.server.dropSnapshots();
    return request.call(a.line, name, ask, signal);
  };
  const drain = async () => {
    while (!(await reader.read()).done);
  };
  await assertRejects(drain, StoreError, "has forgotten the snapshot");
});

Deno.test("snapshots are closed, however the read ends", async () => {
  const [a] = await openStores(1);
  await using _a = a;
  await a.set("counters", "n", 1);
  await a.getAll();
  await a.export().cancel();
  await Array.fromAsync(a.export());
  const stop = new AbortController();
  const reading = a.getAll({ signal: stop.signal });
  stop.abort();
  await assertRejects(() => reading);
  // What closes them went out before this, on a line that cuts nothing.
  for (let turns = 0; a.server.snapshots > 0; turns++) {
    assert(turns < 100, `${a.server.snapshots} snapshots stay open`);
    await a.get("counters", "n");
  }
});

Deno.test("if the server cannot be reached, each error names its operation", async () => {
  const [a] = await openStores(1, { busyTimeout: 20 });
  await using _a = a;
  await a.set("counters", "n", 1);
  a.line.cut();
  const calls: [message: string, call: () => Promise<unknown>][] = [
    ["Cannot get", () => a.get("counters", "n")],
    ["Cannot entry", () => a.entry("counters", "n")],
    ["Cannot list", () => a.list("counters")],
    ["Cannot count", () => a.count("counters")],
    ["Cannot getAll", () => a.getAll()],
    ["Cannot export", () => Array.fromAsync(a.export())],
    ["Cannot entries", () => Array.fromAsync(a.entries("counters"))],
    ['Cannot set "counters"/"n"', () => a.set("counters", "n", 2)],
    ['Cannot delete "counters"/"n"', () => a.delete("counters", "n")],
    ["Cannot watch", () => a.watch("counters").getReader().read()],
  ];
  for (const [message, call] of calls) {
    const error = await assertRejects(call, StoreUnavailableError);
    assertEquals(
      error.message,
      `${message}: the server cannot be reached; try again when the server can be reached`,
    );
  }
  a.line.mend();
  assertEquals(await a.get("counters", "n"), 1);
});

Deno.test("close() of a store whose line stays cut ends in time", async () => {
  for (const how of ["cut", "silence"] as const) {
    const [a] = await openStores(1, { busyTimeout: 100 });
    await a.set("counters", "n", 1);
    const reader = a.watch("counters").getReader();
    const pending = reader.read().catch((error) => error);
    a.line[how]();
    const running = Promise.allSettled([
      a.set("counters", "n", 2),
      a.update("counters", "n", (n) => n + 1),
      a.get("counters", "n"),
      a.getAll(),
      Array.fromAsync(a.export()),
    ]);
    await a.close();
    for (const result of await running) {
      assert(result.status === "rejected");
      assert(result.reason instanceof StoreError, `${result.reason}`);
    }
    const last = await pending;
    assert(last.done || last instanceof StoreError);
    assertEquals(a.line.pending, 0);
  }
});

Deno.test("verify() says that the server cannot do it", async () => {
  const [a] = await openStores(1);
  await using _a = a;
  await assertRejects(() => a.verify(), StoreUnsupportedError, "Cannot verify");
});

Deno.test("an import writes as many lines at once as the server takes", async () => {
  const [a, b] = await openStores(2);
  await using _a = a;
  await using _b = b;
  const keys = numberedKeys(150);
  await a.setAll("counters", keys.map((key) => [key, 1] as const));
  const more = numberedKeys(450).slice(150);
  for (let i = 0; i < more.length; i += 150) {
    const some = more.slice(i, i + 150);
    await a.setAll("counters", some.map((key) => [key, 1] as const));
  }
  const lines = await new Response(a.export()).text();
  const target = await openRemoteStore<Counters>({ longest: 1 });
  await using _target = target;
  const result = await target.import(new Blob([lines]).stream());
  assertEquals(result.created, 450);
  assertEquals(await target.count("counters"), 450);
});
