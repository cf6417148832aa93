/**
 * Two SQLite libraries in one process: in Workers, in copies of this package,
 * and in plain `node:sqlite` beside a store. Either the second one is refused,
 * or the store notices that its files are gone. No acknowledged write is lost.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openStore } from "../mod.ts";
import { drivers } from "./support/drivers.ts";
import { runChild } from "./support/processes/child.ts";
import type { WorkerReport } from "./support/processes/library_worker.ts";
import { type TempDir, tempDir } from "./support/temp_dir.ts";

const [builtin, ffi] = drivers;

const root = new URL("../", import.meta.url);
const worker = new URL("support/processes/library_worker.ts", import.meta.url);

/** What a program tells of its own writes, and of the other library's. */
interface Report {
  driver: string;
  acknowledged: string[];
  error?: string;
  other: WorkerReport;
}

/** What a program does: a store writes, another library comes and goes, the store writes again. */
interface Scenario {
  /** The store's options. */
  options?: string;
  /** Opens and closes the file with another library; gives a report. */
  other: string;
}

/** Runs a program on `app.db`; gives what it tells, and the keys that are in the file then. */
async function run(
  dir: TempDir,
  { options = "", other }: Scenario,
): Promise<Report & { keys: Set<string> }> {
  const { stdout, stderr } = await runChild(
    dir.path,
    `const store = await zestor.openStore({ path: "app.db", ${options} });
    const report = { driver: store.driver, acknowledged: [] };
    const write = async (from) => {
      for (let i = from; i < from + 20; i++) {
        await store.set("k", "main " + i, i);
        report.acknowledged.push("main " + i);
      }
    };
    await write(0);
    report.other = await (async () => { ${other} })();
    await write(20).catch((error) => report.error = error.message);
    await store.close();
    console.log(JSON.stringify(report));`,
    { permissions: ["-A", "--unstable-worker-options"] },
  );
  assertEquals(stderr, "");
  const found = await runChild(
    dir.path,
    `const store = await zestor.openStore({ path: "app.db", ${options} });
    console.log(JSON.stringify(await store.keys("k")));
    console.log((await store.verify()).length);
    await store.close();`,
    { permissions: ["-A"] },
  );
  assertEquals(found.stderr, "");
  const [keys, findings] = found.stdout.split("\n");
  assertEquals(findings, "0");
  return { ...JSON.parse(stdout), keys: new Set(JSON.parse(keys)) };
}

/** Opens the file in a Worker of other permissions. */
function inWorker(permissions: string, options = ""): string {
  return `const worker = new Worker(${JSON.stringify(worker.href)}, {
      type: "module",
      deno: { permissions: ${permissions} },
    });
    const told = new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
    });
    worker.postMessage({ path: "app.db"${options && `, ${options}`} });
    const report = await told;
    worker.terminate();
    return report;`;
}

/** Opens a store in a Worker of other permissions, and leaves it open. */
function inWorkerThatStays(permissions: string, options: string): string {
  const code = `import { openStore } from ${
    JSON.stringify(new URL("mod.ts", root).href)
  };
    await openStore({ ${options} });
    self.postMessage("open");`;
  return `const worker = new Worker(
      URL.createObjectURL(
        new Blob([${JSON.stringify(code)}], { type: "text/javascript" }),
      ),
      { type: "module", deno: { permissions: ${permissions} } },
    );
    await new Promise((resolve) => worker.onmessage = resolve);`;
}

/** Opens the file with a second copy of the package. */
function inCopy(options: string): string {
  return `const report = { acknowledged: [] };
    try {
      const copy = await import("./copy/mod.ts");
      const store = await copy.openStore({ path: "app.db", ${options} });
      report.driver = store.driver;
      await store.set("k", "copy", 1);
      report.acknowledged.push("copy");
      await store.close();
    } catch (error) {
      report.error = error.message;
    }
    return report;`;
}

const PLAIN = `const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync("app.db");
  database.exec(
    "INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'plain', '1')",
  );
  database.close();
  return { driver: "plain", acknowledged: ["plain"] };`;

const MAY_ALL_BUT_FFI = "{ read: true, write: true, env: true, ffi: false }";
const MAY_FILES = "{ read: true, write: true, env: false, ffi: false }";

function assertNothingLost(
  { acknowledged, other, keys }: Report & { keys: Set<string> },
): void {
  const all = [...acknowledged, ...other.acknowledged];
  assertEquals(all.filter((key) => !keys.has(key)), []);
}

for (const wal of [true, false]) {
  ffi.test(
    `a Worker that would take another library is refused, with wal: ${wal}`,
    async () => {
      await using dir = await tempDir();
      const report = await run(dir, {
        options: `wal: ${wal}`,
        other: inWorker(MAY_ALL_BUT_FFI, `wal: ${wal}`),
      });
      assertEquals(report.driver, "ffi");
      assertStringIncludes(report.other.error!, 'open with the driver "ffi"');
      assertEquals(report.error, undefined);
      assertEquals(report.acknowledged.length, 40);
      assertNothingLost(report);
    },
  );
}

for (const wal of [true, false]) {
  ffi.test(
    `a Worker that may not read the environment is refused, with wal: ${wal}`,
    async () => {
      await using dir = await tempDir();
      const report = await run(dir, {
        options: `wal: ${wal}`,
        other: inWorker(MAY_FILES, `wal: ${wal}`),
      });
      assertEquals(report.driver, "ffi");
      assertStringIncludes(report.other.error!, "may not read the environment");
      assertEquals([report.error, report.acknowledged.length], [undefined, 40]);
      assertNothingLost(report);
      assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), [
        "app.db",
      ]);
    },
  );

  builtin.test(
    `a Worker that may not read the environment comes first, with wal: ${wal}`,
    async () => {
      await using dir = await tempDir();
      const { stdout, stderr } = await runChild(
        dir.path,
        `${inWorkerThatStays(MAY_FILES, `path: "app.db", wal: ${wal}`)}
        const open = (driver) =>
          zestor.openStore({ path: "app.db", wal: ${wal}, driver });
        await using store = await open("auto");
        await store.set("k", "a", 1);
        console.log(store.driver);
        await using _ = await open("ffi").catch((error) => {
          console.log(error.message);
          return store;
        });
        worker.terminate();`,
        { permissions: ["-A", "--unstable-worker-options"] },
      );
      assertEquals(stderr, "");
      const [driver, message] = stdout.split("\n");
      assertEquals(driver, "builtin");
      assertStringIncludes(
        message,
        ffi.unavailable === undefined
          ? "two SQLite libraries do not see each other's locks"
          : "Cannot load the driver",
      );
    },
  );

  ffi.test(
    `Workers of all sorts write at the same time, and nothing is lost, with wal: ${wal}`,
    async () => {
      await using dir = await tempDir();
      const { stdout, stderr } = await runChild(
        dir.path,
        `const reports = [];
        const workers = [];
        await (await zestor.openStore({ path: "app.db", wal: ${wal} })).close();
        for (let i = 0; i < 8; i++) {
          const permissions = [
            ${MAY_FILES},
            "inherit",
            ${MAY_ALL_BUT_FFI},
            "inherit",
          ][i % 4];
          const worker = new Worker(${JSON.stringify(worker.href)}, {
            type: "module",
            name: String(i),
            deno: { permissions },
          });
          workers.push(worker);
          reports.push(new Promise((resolve) => {
            worker.onmessage = ({ data }) => resolve(data);
          }));
          worker.postMessage({
            path: "app.db",
            wal: ${wal},
            durability: "normal",
            busyTimeout: 60_000,
          });
        }
        console.log(JSON.stringify(await Promise.all(reports)));
        for (const worker of workers) worker.terminate();`,
        { permissions: ["-A", "--unstable-worker-options"] },
      );
      assertEquals(stderr, "");
      const reports: WorkerReport[] = JSON.parse(stdout);
      const acknowledged = reports.flatMap((report) => report.acknowledged);
      assert(acknowledged.length >= 50);
      for (const { error } of reports) {
        if (error) assertStringIncludes(error, "two SQLite libraries");
      }
      await using store = await openStore({ path: dir.file("app.db"), wal });
      const keys = new Set(await store.keys("k"));
      assertEquals(acknowledged.filter((key) => !keys.has(key)), []);
      assertEquals(await store.verify(), []);
    },
  );
}

builtin.test("a Worker takes the driver that the process has", async () => {
  await using dir = await tempDir();
  const report = await run(dir, {
    options: 'driver: "builtin"',
    other: inWorker('"inherit"'),
  });
  assertEquals([report.driver, report.other.driver], ["builtin", "builtin"]);
  assertEquals([report.error, report.other.error], [undefined, undefined]);
  assertNothingLost(report);
});

ffi.test("a Worker may use the same library", async () => {
  await using dir = await tempDir();
  const report = await run(dir, { other: inWorker('"inherit"') });
  assertEquals([report.driver, report.other.driver], ["ffi", "ffi"]);
  assertEquals([report.error, report.other.error], [undefined, undefined]);
  assertNothingLost(report);
});

ffi.test("a copy of the package with another library is refused", async () => {
  await using dir = await tempDir();
  await copyPackage(dir);
  const report = await run(dir, { other: inCopy('driver: "builtin"') });
  assertEquals(report.driver, "ffi");
  assertStringIncludes(report.other.error!, 'open with the driver "ffi"');
  assertEquals(report.error, undefined);
  assertNothingLost(report);
});

builtin.test("a copy of the package takes the driver that the other has", async () => {
  await using dir = await tempDir();
  await copyPackage(dir);
  const report = await run(dir, {
    options: 'driver: "builtin"',
    other: inCopy(""),
  });
  assertEquals([report.driver, report.other.driver], ["builtin", "builtin"]);
  assertEquals([report.error, report.other.error], [undefined, undefined]);
  assertNothingLost(report);
});

builtin.test("a copy of the package with another build of a library is refused", async () => {
  await using dir = await tempDir();
  await copyPackage(dir);
  const report = await run(dir, {
    options: `driver: {
      ...(await import(${
      JSON.stringify(new URL("src/sqlite/driver/builtin.ts", root).href)
    })).builtinDriver,
      library: "another build",
    }`,
    other: inCopy('driver: "builtin"'),
  });
  assertStringIncludes(report.other.error!, "another copy of @zestor/store");
  assertNothingLost(report);
});

ffi.test("a store notices plain `node:sqlite` in its process", async () => {
  await using dir = await tempDir();
  const report = await run(dir, { other: PLAIN });
  assertEquals(report.driver, "ffi");
  assertStringIncludes(report.error!, "another SQLite library");
  assertNothingLost(report);
});

builtin.test("plain `node:sqlite` may share a file with the driver on it", async () => {
  await using dir = await tempDir();
  const report = await run(dir, {
    options: 'driver: "builtin"',
    other: PLAIN,
  });
  assertEquals(report.error, undefined);
  assertNothingLost(report);
});

for (
  const [permissions, reason] of [
    ['"inherit"', "a store of this process has it open"],
    [
      MAY_FILES,
      "a Worker without the permission to read the environment has a file",
    ],
  ]
) {
  builtin.test(`a backup never replaces a file that a Worker has open, ${permissions}`, async () => {
    await using dir = await tempDir();
    const { stdout, stderr } = await runChild(
      dir.path,
      `const other = await zestor.openStore({ path: "other.db" });
    await other.set("k", "a", 1);
    ${inWorkerThatStays(permissions, 'path: "app.db"')}
    const error = await other.backup("app.db", { overwrite: true })
      .catch((error) => error);
    console.log(error.message);
    worker.terminate();
    await other.close();`,
      { permissions: ["-A", "--unstable-worker-options"] },
    );
    assertEquals(stderr, "");
    assertStringIncludes(stdout, reason);
  });
}

async function copyPackage(dir: TempDir): Promise<void> {
  const copy = async (from: URL, to: string): Promise<void> => {
    await Deno.mkdir(to, { recursive: true });
    for await (const { name, isDirectory } of Deno.readDir(from)) {
      const child = new URL(`${name}${isDirectory ? "/" : ""}`, from);
      if (isDirectory) await copy(child, `${to}/${name}`);
      else await Deno.copyFile(child, `${to}/${name}`);
    }
  };
  await copy(new URL("src/", root), dir.file("copy/src"));
  await Deno.copyFile(new URL("mod.ts", root), dir.file("copy/mod.ts"));
}
