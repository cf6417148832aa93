/**
 * What a runtime that is not Deno has to pass.
 *
 * @module
 */
import { create, toJsonString } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { assertEquals } from "@std/assert";
import { openStore, type Store } from "../../../mod.ts";
import { assetPaths } from "../../../src/inspector/assets.ts";
import { testStore } from "../../../src/testing/mod.ts";
import { protobuf } from "../../../src/values/codecs/protobuf.ts";
import { structured } from "../../../src/values/codecs/structured.ts";
import { yaml } from "../../../src/values/codecs/yaml.ts";
import type { Runtime } from "./runtimes.ts";

/** A test of the conformance suite that ran there. */
interface Ran {
  readonly name: string;
  /** How it failed, if it did. */
  readonly problem?: string;
}

/** How many tests the conformance suite has for a store that can be reopened. */
function countTests(): number {
  let tests = 0;
  const count = () => void tests++;
  testStore({
    name: "counted",
    open: () => Promise.reject(),
    reopen: () => Promise.reject(),
    test: Object.assign(count, { skip: count }),
  });
  return tests;
}

/** Registers the tests of a runtime, which calls itself so. */
export function testRuntime({ test }: Runtime, name: string): void {
  // In memory almost all of the code is the same.
  const places = Deno.env.get("ZESTOR_LONG_TESTS")
    ? ["file", "memory"]
    : ["file"];
  test("the conformance suite", async (project) => {
    const lines = await project.run("conformance", ...places) as Ran[];
    const { ran, ignored } = lines.pop() as unknown as Record<string, number>;
    assertEquals(lines.filter(({ problem }) => problem !== undefined), []);
    assertEquals([lines.length, ran + ignored], [
      ran,
      places.length * countTests(),
    ]);
  });

  test("a watch sees what Deno writes", async (project) => {
    const path = project.file("seen.db");
    await using store = await openStore({ path });
    const { lines, end } = project.start("peer", "watch", path);
    assertEquals((await lines.next()).value, "watching");
    for (const key of ["a", "b", "stop"]) {
      await store.set("notes", key, { from: "Deno" });
      const { value } = await lines.next();
      assertEquals(value, { key, value: { from: "Deno" } });
    }
    await end();
  });

  test("a watch of Deno sees what is written", async (project) => {
    const path = project.file("told.db");
    await using store = await openStore({ path });
    const events = store.watch("notes").getReader();
    assertEquals(await project.run("peer", "write", path, "a", "b"), []);
    for (const key of ["a", "b"]) {
      const { value } = await events.read();
      assertEquals([value?.key, value?.value], [key, { from: "peer" }]);
    }
    await events.cancel();
  });

  test("two of its processes watch each other's writes", async (project) => {
    const path = project.file("peers.db");
    const { lines, end } = project.start("peer", "watch", path);
    assertEquals((await lines.next()).value, "watching");
    for (const key of ["a", "stop"]) {
      await project.run("peer", "write", path, key);
      const { value } = await lines.next();
      assertEquals(value, { key, value: { from: "peer" } });
    }
    await end();
  });

  test("a file is watched until it is gone", async (project) => {
    const lines = await project.run("watched_file", project.file("watched"));
    assertEquals(lines, [name]);
  });

  test("a backup is whole, and replaces no file unasked", async (project) => {
    const [path, copy] = [project.file("backup.db"), project.file("copy.db")];
    {
      await using store = await openStore({ path });
      for (let i = 0; i < 100; i++) await store.set("notes", `${i}`, i);
    }
    assertEquals(await project.run("peer", "backup", path, copy), [
      [
        "STORAGE",
        `Cannot back up to ${
          JSON.stringify(copy)
        }: there is a file already; give another path, or overwrite: true`,
      ],
      0,
    ]);
    await using store = await openStore({ path: copy });
    assertEquals([await store.count("notes"), await store.verify()], [100, []]);
  });

  test("values of each codec are the same as in Deno", async (project) => {
    const path = project.file("codecs.db");
    const codec = {
      notes: yaml,
      maps: structured,
      times: protobuf(TimestampSchema),
    };
    const open = async (): Promise<Store> => await openStore({ path, codec });
    {
      await using store = await open();
      await store.set("notes", "a", { text: "one\ntwo" });
      await store.set("maps", "a", new Map([["time", new Date(0)]]));
      await store.set("times", "a", create(TimestampSchema, { seconds: 1n }));
    }
    assertEquals(await project.run("peer", "codecs", path), [
      { text: "one\ntwo" },
      [["time", "1970-01-01T00:00:00.000Z"]],
      '"1970-01-01T00:00:01Z"',
    ]);
    await using store = await open();
    const time = await store.get("times", "b");
    assertEquals(
      [
        await store.get("notes", "b"),
        await store.get("maps", "b"),
        toJsonString(TimestampSchema, time as never),
      ],
      [
        { text: "two\nlines" },
        new Map([["time", new Date(1)]]),
        '"1970-01-01T00:00:02Z"',
      ],
    );
  });

  test("what needs Deno says so: the FFI driver and the command", async (project) => {
    assertEquals(await project.run("peer", "ffi", project.file("ffi.db")), [
      [
        "OPEN",
        `Cannot load the driver "ffi" in ${name}: it calls the native library as Deno does; use the driver "builtin", which this runtime has`,
      ],
      "builtin",
      `Cannot run the command zestor in ${name}: it needs Deno; install Deno, then run "deno run -A jsr:@zestor/store/cli"`,
    ]);
  });

  test("an open store does not keep the process running", async (project) => {
    assertEquals(await project.run("peer", "leave", project.file("left.db")), [
      "left",
    ]);
  });

  test("the inspector serves its page", async (project) => {
    assertEquals(await project.run("inspected"), [[assetPaths().sort(), 0]]);
  });
}
