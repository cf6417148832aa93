/**
 * `zestor copy` and `zestor rename`: a kind's entries, in another kind.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { openStore, type Store } from "../../mod.ts";
import { ConflictError } from "../../src/cli/errors.ts";
import {
  type KindTransfer,
  transferKind,
} from "../../src/cli/kind_transfer.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { exactJson } from "../../src/values/codecs/exact_json.ts";
import { hereIn, openBeside, outputOfCli, runCli } from "../support/cli.ts";
import { connect, fileAt } from "../support/connect.ts";
import { drivers } from "../support/drivers.ts";
import { startCli } from "../support/running_cli.ts";
import { tempDir } from "../support/temp_dir.ts";

const [builtin] = drivers;
const { test } = builtin;

/** Windows has no signals to send to another process. */
const testWithSignals = Deno.build.os === "windows" ? Deno.test.ignore : test;

async function setUp(kinds: Record<string, Record<string, unknown>>) {
  const dir = await tempDir();
  {
    await using store = await openBeside(dir.file("app.db"));
    for (const [kind, entries] of Object.entries(kinds)) {
      await store.setAll(kind, entries);
    }
  }
  return {
    dir,
    here: hereIn(dir.path),
    async all() {
      await using store = await openBeside(dir.file("app.db"));
      const kinds = await store.getAll();
      return Object.fromEntries(
        [...kinds].map((
          [kind, entries],
        ) => [kind, Object.fromEntries(entries)]),
      );
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

test("copy writes each entry to the other kind, and leaves the first", async () => {
  const users = { a: { n: 1 }, b: "x", c: [null] };
  await using it = await setUp({ users, others: { z: 1 } });
  assertEquals(
    await outputOfCli(["copy", "users", "people"], it.here),
    '{"from":"users","to":"people","entries":3}\n',
  );
  assertEquals(await it.all(), { users, people: users, others: { z: 1 } });
  assertEquals(
    await outputOfCli(
      ["copy", "users", "--format", "table", "--merge", "others"],
      it.here,
    ),
    "FROM     users\nTO       others\nENTRIES  3\n",
  );
  assertEquals((await it.all()).others, { ...users, z: 1 });
});

test("rename moves each entry to the other kind", async () => {
  const users = { a: { n: 1 }, b: "x" };
  await using it = await setUp({ users, people: { b: "old", z: 1 } });
  assertEquals(
    await outputOfCli(["rename", "users", "people", "--merge"], it.here),
    '{"from":"users","to":"people","entries":2}\n',
  );
  assertEquals(await it.all(), { people: { ...users, z: 1 } });
  await outputOfCli(["rename", "people", "users"], it.here);
  assertEquals(await it.all(), { users: { ...users, z: 1 } });
});

test("copy and rename refuse a kind with entries, the same kind, and one without", async () => {
  const kinds = { users: { a: 1 }, people: { b: 2 } };
  await using it = await setUp(kinds);
  for (const action of ["copy", "rename"]) {
    const results = await Promise.all([
      runCli([action, "users", "people"], it.here),
      runCli([action, "users", "users", "--merge"], it.here),
      runCli([action, "none", "people", "--merge"], it.here),
      runCli([action, "users"], it.here),
      runCli([action, "users", ""], it.here),
      runCli([action, "users", "x", "--db", "none.db"], it.here),
    ]);
    assertEquals(results.map(({ code }) => code), [2, 2, 1, 2, 2, 3]);
    const expected = [
      `zestor: Cannot ${action} "users": the kind "people" has entries; give another name, or --merge to replace those with the same keys\n`,
      `zestor: Cannot ${action} "users": the new kind is the same; give another name\n`,
      `zestor: Cannot ${action} "none": the kind has no entries\n`,
    ];
    assertEquals(
      results.slice(0, 3).map(({ stderr }) => stderr),
      expected,
    );
  }
  assertEquals(await it.all(), kinds);
});

test("copy keeps the digits of others' numbers", async () => {
  await using it = await setUp({ k: { a: 1 } });
  const value = '{"n":12345678901234567890,"f":[0.10000000000000000001]}';
  {
    using db = await connect(builtin, fileAt(it.dir.file("app.db")));
    db.exec(
      `UPDATE zestor_kv SET value = CAST('${value}' AS BLOB) WHERE key = 'a'`,
    );
  }
  await outputOfCli(["copy", "k", "l"], it.here);
  await outputOfCli(["rename", "l", "m"], it.here);
  assertEquals(await outputOfCli(["get", "m", "a"], it.here), `${value}\n`);
});

/** A store that calls a function before or after each commit. */
function withCommits(
  store: Store,
  { before, after }: {
    before?: (count: number) => Promise<unknown>;
    after?: (count: number) => Promise<unknown>;
  },
): Store {
  let count = 0;
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name !== "atomic") return value.bind(target);
      return () => {
        const operation = target.atomic();
        const commit = operation.commit.bind(operation);
        operation.commit = async (options) => {
          const number = ++count;
          await before?.(number);
          const result = await commit(options);
          await after?.(number);
          return result;
        };
        return operation;
      };
    },
  });
}

function transfer(options: Partial<KindTransfer>): KindTransfer {
  return {
    action: "rename",
    from: "a",
    to: "b",
    merge: false,
    codec: exactJson,
    signal: new AbortController().signal,
    ...options,
  };
}

const KEYS = Array.from({ length: 1_000 }, (_, i) => `${i}`);

async function filled(): Promise<Store> {
  const store = await openMemoryStore();
  await store.setAll("a", KEYS.map((key) => [key, { of: key }]));
  return store;
}

async function assertInOneKind(store: Store, keys: string[]): Promise<void> {
  const found = [...await store.keys("a"), ...await store.keys("b")];
  assertEquals(found.sort(), keys.toSorted());
}

test("an entry is in one of the two kinds at any moment of a rename", async () => {
  await using store = await filled();
  let commits = 0;
  const observed = withCommits(store, {
    after: (count) => {
      commits = count;
      return assertInOneKind(store, KEYS);
    },
  });
  assertEquals(await transferKind(observed, transfer({})), 1_000);
  assert(commits >= 4);
  assertEquals(await store.count("a"), 0);
  assertEquals(await store.get("b", "7"), { of: "7" });
});

test("a rename moves entries that others write meanwhile, and does not restore deleted ones", async () => {
  await using store = await filled();
  const beside = withCommits(store, {
    async before(count) {
      if (count > 3) return;
      await store.set("a", `${count}`, "changed");
      await store.set("a", `${count}0`, "changed");
      await store.delete("a", `${count}1`);
      // Before all others in key order.
      await store.set("a", `!${count}`, "new");
    },
  });
  // Of a key that was moved already it makes a new one, which is not to be lost.
  const total = await transferKind(beside, transfer({ merge: true }));
  const entries = await store.list("b");
  assertEquals(await store.count("a"), 0);
  assertEquals(total >= entries.size, true);
  for (const n of [1, 2, 3]) {
    assertEquals(entries.get(`${n}`), "changed");
    assertEquals(entries.get(`${n}0`), "changed");
    assertEquals(entries.get(`!${n}`), "new");
  }
  assertEquals(entries.get("999"), { of: "999" });
  assertEquals(entries.has("11"), false);
});

test("a rename that finds a key taken meanwhile stops, and loses nothing", async () => {
  await using store = await filled();
  const beside = withCommits(store, {
    before: async (count) => {
      if (count === 2) await store.set("b", "999", "theirs");
    },
  });
  const error = await assertRejects(
    () => transferKind(beside, transfer({})),
    ConflictError,
    '"b"/"999" has been created meanwhile; run it again with --merge',
  );
  assertEquals(error.message.split("\n").length, 1);
  assertEquals(await store.get("b", "999"), "theirs");
  assertEquals(await store.get("a", "999"), { of: "999" });
  assertEquals(
    await store.count("a") + await store.count("b"),
    1_001,
  );
});

test("a rename that is interrupted can be run again", async () => {
  await using store = await filled();
  const controller = new AbortController();
  const stopping = withCommits(store, {
    after: async (count) => {
      if (count === 2) await controller.abort(new Error("enough"));
    },
  });
  await assertRejects(
    () => transferKind(stopping, transfer({ signal: controller.signal })),
    Error,
    "enough",
  );
  await assertInOneKind(store, KEYS);
  const left = await store.count("a");
  assert(left > 0 && left < 1_000);
  assertEquals(await transferKind(store, transfer({ merge: true })), left);
  assertEquals(await store.count("b"), 1_000);
});

test("values of any size are in batches of about 1 MiB", async () => {
  await using store = await openMemoryStore();
  await store.setAll(
    "a",
    KEYS.slice(0, 10).map((key) => [key, key.repeat(600_000)]),
  );
  let commits = 0;
  const observed = withCommits(store, {
    after: async (count) => void (commits = await Promise.resolve(count)),
  });
  await transferKind(observed, transfer({ action: "copy" }));
  assertEquals([commits, await store.count("b")], [5, 10]);
});

testWithSignals(
  "a rename that is killed at any moment has lost nothing, and can be run again",
  async () => {
    await using dir = await tempDir();
    await using store = await openStore({
      path: dir.file("app.db"),
      driver: "builtin",
      durability: "normal",
    });
    const keys = Array.from({ length: 20_000 }, (_, i) => `${i}`);
    await store.setAll("a", keys.map((key) => [key, "x".repeat(100)]));
    const args = ["rename", "a", "b", "--merge"];
    for (let round = 0; round < 3; round++) {
      const rename = startCli(args, hereIn(dir.path));
      for await (const _ of store.watch("b")) break;
      rename.kill("SIGKILL");
      await rename.ended();
      await assertInOneKind(store, keys);
    }
    const left = await store.count("a");
    assertEquals(
      await outputOfCli(args, hereIn(dir.path)),
      `{"from":"a","to":"b","entries":${left}}\n`,
    );
    assertEquals(await store.count("b"), keys.length);
  },
);
