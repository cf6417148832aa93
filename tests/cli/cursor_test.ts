/**
 * The file of `zestor watch --cursor`: who may have it, what is written over,
 * and in which order it comes to the disk.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UsageError } from "../../src/cli/errors.ts";
import { CursorFile } from "../../src/cli/watching/cursor_file.ts";
import { openStore } from "../../mod.ts";
import { hereIn, runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { startCli } from "../support/running_cli.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** Windows lets not everybody make a link, and has no signals. */
const testOnUnix = Deno.build.os === "windows" ? Deno.test.ignore : test;

/** Keeps a place as a watch does. */
function keep(path: string, revision: number): void {
  using cursor = new CursorFile(path, { kinds: ["k"] });
  cursor.lock();
  cursor.read();
  cursor.prepare(revision);
  cursor.keep();
}

function cursorText(revision: number): string {
  return `{"kind":"k","revision":${revision}}\n`;
}

async function namesIn(path: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(path));
  return entries.map(({ name }) => name).sort();
}

testOnUnix("a link that somebody planted is not followed", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("victim"), "precious");
  for (const suffix of [".next", ".lock"]) {
    for (const to of ["victim", "missing"]) {
      await Deno.symlink(dir.file(to), dir.file(`place${suffix}`));
      keep(dir.file("place"), 5);
      assertEquals(await Deno.readTextFile(dir.file("victim")), "precious");
      assertEquals(await namesIn(dir.path), ["place", "victim"]);
    }
  }
  assertEquals(await Deno.readTextFile(dir.file("place")), cursorText(5));
});

testOnUnix(
  "a cursor that is a link stays one; its file is replaced",
  async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("real"));
    await Deno.symlink("real/place", dir.file("relative"));
    await Deno.symlink(dir.file("relative"), dir.file("absolute"));
    // The file is made, then replaced.
    for (const revision of [3, 4]) {
      keep(dir.file("absolute"), revision);
      assertEquals(
        await Deno.readTextFile(dir.file("real/place")),
        cursorText(revision),
      );
      assertEquals(await namesIn(dir.path), ["absolute", "real", "relative"]);
      assertEquals(await namesIn(dir.file("real")), ["place"]);
    }
    assert((await Deno.lstat(dir.file("absolute"))).isSymlink);
    assert((await Deno.lstat(dir.file("relative"))).isSymlink);
    await Deno.symlink("loop", dir.file("loop"));
    assertThrows(
      () => keep(dir.file("loop"), 1),
      UsageError,
      "leads to itself",
    );
  },
);

testOnUnix("a cursor keeps its permissions", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("place"), cursorText(1), { mode: 0o600 });
  keep(dir.file("place"), 2);
  const { mode } = await Deno.stat(dir.file("place"));
  assertEquals(mode! & 0o777, 0o600);
});

testOnUnix(
  "a watch refuses a cursor that another watch uses, and names it",
  async () => {
    await using dir = await tempDir();
    await using store = await openStore({
      path: dir.file("app.db"),
      driver: "builtin",
      durability: "normal",
    });
    await store.set("k", "a", 1);
    await Deno.symlink("place", dir.file("link"));
    const here = hereIn(dir.path);
    const args = ["watch", "k", "--after", "0", "--cursor"];
    const first = startCli([...args, "place"], here);
    await first.line();
    const lock = await Deno.readTextFile(dir.file("place.lock"));
    const { pid } = JSON.parse(lock);
    for (const path of ["place", "link"]) {
      const { code, stdout, stderr } = await runCli([...args, path], here);
      assertEquals(
        stderr,
        `zestor: Cannot use the cursor ${path}: the watch of process ${pid} uses it; give each watch a file of its own, or end the other watch\n`,
      );
      assertEquals([code, stdout], [2, ""]);
    }
    // The first goes on, with its place and its lock.
    await store.set("k", "b", 1);
    assertMatch(await first.line(), /"key":"b"/);
    assertEquals(await Deno.readTextFile(dir.file("place.lock")), lock);
    // The lock of a killed process is none.
    first.kill("SIGKILL");
    await first.ended();
    await store.set("k", "c", 1);
    const second = startCli([...args, "place"], here);
    assertMatch(await second.line(), /"key":"c"/);
    second.kill("SIGTERM");
    assertEquals(await second.ended(), { code: 0, stdout: "", stderr: "" });
    assert(!(await namesIn(dir.path)).includes("place.lock"));
  },
);

test("a cursor file without a place is an error that says what to do", async () => {
  await using dir = await tempDir();
  const whole = cursorText(12);
  for (let length = 0; length < whole.length - 1; length++) {
    await Deno.writeTextFile(dir.file("place"), whole.slice(0, length));
    const what = length === 0
      ? "the file is empty"
      : "the file contains no cursor, or only a part of one";
    assertThrows(
      () => keep(dir.file("place"), 1),
      UsageError,
      `${what}; restore it, or remove it and begin anew with --initial, or with --after REVISION`,
    );
  }
  // It is left as it is, and so is what is no file.
  assertEquals(
    await Deno.readTextFile(dir.file("place")),
    whole.slice(0, -2),
  );
  await Deno.mkdir(dir.file("folder"));
  assertThrows(
    () => keep(dir.file("folder"), 1),
    UsageError,
    "it is a directory; give the path of a file",
  );
});

test("a cursor file of a newer version is reported as such, and kept", async () => {
  await using dir = await tempDir();
  const text = '{"kind":"k","cursor":"z2-1234-00000004dq"}\n';
  await Deno.writeTextFile(dir.file("place"), text);
  assertThrows(
    () => keep(dir.file("place"), 1),
    UsageError,
    "a newer version of zestor wrote it; use that version, or remove the file",
  );
  assertEquals(await Deno.readTextFile(dir.file("place")), text);
  const here = hereIn(dir.path);
  const after = await runCli(["watch", "k", "--after", "z2-1234-x"], here);
  assertMatch(after.stderr, /cursor of this version or an earlier one/);
  assertEquals(after.code, 2);
});

/** Calls `work`, and gives the calls that bring files to the disk, in their order. */
function syncsOf(work: () => void): string[] {
  const calls: string[] = [];
  const { openSync, renameSync } = Deno;
  const paths = new WeakMap<Deno.FsFile, string>();
  const { syncSync } = Deno.FsFile.prototype;
  const name = (path: string | URL) => `${path}`.split("/").at(-1)!;
  try {
    Deno.openSync = (path, options) => {
      const file = openSync(path, options);
      paths.set(file, name(path));
      return file;
    };
    Deno.renameSync = (from, to) => {
      calls.push(`rename ${name(from)} ${name(to)}`);
      renameSync(from, to);
    };
    Deno.FsFile.prototype.syncSync = function () {
      calls.push(`sync ${paths.get(this)}`);
      syncSync.call(this);
    };
    work();
  } finally {
    Object.assign(Deno, { openSync, renameSync });
    Deno.FsFile.prototype.syncSync = syncSync;
  }
  return calls;
}

testOnUnix(
  "a cursor is on the disk before it takes its place; a new file's name, too, after",
  async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("places"));
    using cursor = new CursorFile(dir.file("places/place"), { kinds: ["k"] });
    cursor.lock();
    assertEquals(cursor.read(), undefined);
    const calls = [1, 2].map((revision) =>
      syncsOf(() => {
        cursor.prepare(revision);
        cursor.keep();
      })
    );
    const replaced = ["sync place.next", "rename place.next place"];
    assertEquals(calls, [[...replaced, "sync places"], replaced]);
  },
);
