/**
 * Loading of the FFI binding: `"auto"` takes what is on the machine and asks no
 * network, and nothing is printed on standard output.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { BINDING } from "../src/sqlite/driver/ffi.ts";
import { drivers } from "./support/drivers.ts";
import { runChild } from "./support/processes/child.ts";
import { type TempDir, tempDir } from "./support/temp_dir.ts";

const [builtin, ffi] = drivers;

/** The native library that the tests of the binding run on. */
const library = Deno.env.get("DENO_SQLITE_PATH");

/** What became of a program. */
interface Loaded {
  readonly stdout: string;
  readonly stderr: string;
  /** How often it asked the network. */
  readonly requests: number;
}

/** Runs a program for which Deno's cache is in a directory, and a proxy that refuses all is the network. */
async function run(
  dir: TempDir,
  program: string,
  permissions: readonly string[] = ["-A"],
): Promise<Loaded> {
  await using network = refusingServer();
  const { stdout, stderr } = await runChild(
    dir.path,
    // Deno itself has read its own by then.
    `const { state, partial } = Deno.permissions.querySync({ name: "env" });
    if (state === "granted" && !partial) {
      Deno.env.delete("DENO_SQLITE_PATH");
      Deno.env.set("DENO_DIR", ${JSON.stringify(dir.path)});
    }
    ${program}`,
    {
      permissions,
      env: {
        HTTPS_PROXY: network.url,
        HTTP_PROXY: network.url,
        // Else Deno itself asks for its newest version after half a second.
        DENO_NO_UPDATE_CHECK: "1",
      },
    },
  );
  return { stdout, stderr, requests: network.requests() };
}

/** A server that counts who asks it, and answers nobody. */
function refusingServer() {
  let requests = 0;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      requests++;
      connection.close();
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

const OPEN_TWICE = `for (let i = 0; i < 2; i++) {
    await using store = await zestor.openStore({ path: ":memory:" });
    console.log(store.driver);
  }`;

const root = new URL("../", import.meta.url);

Deno.test("without `ffi` nobody is asked for the binding", async () => {
  await using dir = await tempDir();
  await using registry = refusingServer();
  const program = dir.file("program.ts");
  await Deno.writeTextFile(
    program,
    `import { openStore } from "${new URL("mod.ts", root)}";
    await using store = await openStore({ path: ":memory:" });
    console.log(store.driver);`,
  );
  // With the project's own configuration, and so with nothing in the place of
  // the binding. A cache of its own would have to download other packages.
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-check", "--no-prompt", "--quiet"],
      `--config=${fileURLToPath(new URL("deno.json", root))}`,
      program,
    ],
    env: { JSR_URL: registry.url, NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes).trimEnd()
  );
  assertEquals([out, err, registry.requests()], ["builtin", "", 0]);
});

Deno.test("the binding is the one that deno.json names", async () => {
  const text = await Deno.readTextFile(new URL("deno.json", root));
  assertEquals(BINDING, JSON.parse(text).imports["@db/sqlite"]);
});

builtin.test("`auto` downloads nothing, and prints nothing", async () => {
  await using dir = await tempDir();
  const loaded = await run(dir, OPEN_TWICE);
  assertEquals(loaded, { stdout: "builtin\nbuiltin", stderr: "", requests: 0 });
});

builtin.test("`auto` asks for no permission that it does not have", async () => {
  await using dir = await tempDir();
  for (
    const permissions of [
      ["--allow-ffi", "--allow-read=."],
      ["-A", "--deny-env=DENO_SQLITE_PATH"],
    ]
  ) {
    const loaded = await run(dir, OPEN_TWICE, permissions);
    assertEquals(loaded, {
      stdout: "builtin\nbuiltin",
      stderr: "",
      requests: 0,
    });
  }
});

ffi.test("`ffi` downloads the library, and prints nothing of that", async () => {
  await using dir = await tempDir();
  const { stdout, stderr, requests } = await run(
    dir,
    `console.log("before");
    const loading = zestor.openStore({ path: ":memory:", driver: "ffi" })
      .catch((error) => error);
    console.log("meanwhile");
    console.log((await loading).message);
    console.log("after");`,
  );
  assertEquals(stderr, "");
  const [before, meanwhile, message, after, ...more] = stdout.split("\n");
  assertEquals([before, meanwhile, after], ["before", "meanwhile", "after"]);
  assertStringIncludes(message, 'Cannot load the driver "ffi"');
  assertEquals(more, []);
  assertEquals(requests > 0, true);
});

// Without its path there is none to put into the cache.
const withLibrary = library === undefined ? Deno.test.ignore : ffi.test;

withLibrary("`auto` takes a library that was downloaded before", async () => {
  await using dir = await tempDir();
  const name = { windows: "sqlite3.dll", darwin: "libsqlite3.dylib" } as Record<
    string,
    string
  >;
  const file = name[Deno.build.os] ?? "libsqlite3.so";
  const url =
    `https://github.com/denodrivers/sqlite3/releases/download/0.13.0/${file}`;
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(new URL(url).pathname),
  );
  const cache = dir.file("plug/https/github.com");
  await Deno.mkdir(cache, { recursive: true });
  const base = `${cache}/${new Uint8Array(digest).toHex()}`;
  await Deno.copyFile(library!, `${base}.${file.split(".")[1]}`);
  await Deno.writeTextFile(`${base}.metadata.json`, JSON.stringify({ url }));
  const loaded = await run(dir, OPEN_TWICE);
  assertEquals(loaded, { stdout: "ffi\nffi", stderr: "", requests: 0 });
});

/** What a module imports when it is loaded, as its source has it. */
async function importsOf(module: URL): Promise<string[]> {
  const source = await Deno.readTextFile(module);
  const found = source.replaceAll(/\/\*.*?\*\//gs, "").matchAll(
    /^(?:import|export) (?!type\b)[^;]*? from "([^"]+)";$/gm,
  );
  return [...found].map(([, specifier]) => specifier);
}

// Each of the others takes every program 5 to 30 ms at its start.
Deno.test("of Node.js, the store's modules import node:sqlite alone", async () => {
  const seen = new Set([new URL("mod.ts", root).href]);
  const foreign = new Set<string>();
  for (const module of seen) {
    for (const specifier of await importsOf(new URL(module))) {
      if (specifier.startsWith(".")) seen.add(new URL(specifier, module).href);
      else foreign.add(specifier);
    }
  }
  assertEquals(seen.size > 100, true);
  assertEquals([...foreign], ["node:sqlite"]);
});
