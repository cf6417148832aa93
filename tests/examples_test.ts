/**
 * The examples, run as a reader would run them.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { openStore } from "@zestor/store";
import { createHandler } from "../examples/sse_server.ts";
import { denoRun } from "./support/processes/deno_run.ts";
import { drivers } from "./support/drivers.ts";
import { exampleNames } from "./support/example_names.ts";
import { TextReader } from "./support/processes/text_reader.ts";
import { tempDir } from "./support/temp_dir.ts";

const [{ test }, ffi] = drivers;

/** Windows has no signals to send to another process. */
const testWithSignals = Deno.build.os === "windows" ? Deno.test.ignore : test;

const examples = new URL("../examples/", import.meta.url);

/** An example as a command, in a directory that is all it may read and write. */
function example(
  name: string,
  dir: string,
  args: string[],
  permissions = [`--allow-read=${dir}`, `--allow-write=${dir}`],
): Deno.Command {
  const file = fileURLToPath(new URL(name, examples));
  return program(file, dir, args, permissions);
}

/** A program as a command, in a directory. */
function program(
  file: string,
  dir: string,
  args: string[],
  permissions: string[],
): Deno.Command {
  return denoRun(file, {
    flags: permissions,
    args,
    cwd: dir,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", PORT: "0" },
  });
}

/** What a command printed; it must not have printed errors. */
async function output(command: Deno.Command): Promise<string> {
  const { code, stdout, stderr } = await command.output();
  assertEquals(text(stderr), "");
  assertEquals(code, 0);
  return text(stdout);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll("\r\n", "\n");
}

// notes.ts

const NOW = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

const LISTED = `
note-1: Meeting Notes, updated NOW
note-2: Ideas, updated NOW
Total notes: 2
`;

test("notes.ts keeps its notes from one run to the next", async () => {
  await using dir = await tempDir();
  const notes = example("notes.ts", dir.path, []);

  const first = await output(notes);
  assertEquals(
    first.replaceAll(NOW, "NOW"),
    `Driver: builtin
Kept from earlier runs: 0

[create] Meeting Notes
[create] Ideas
${LISTED}`,
  );
  const second = await output(notes);
  assertEquals(
    second.replaceAll(NOW, "NOW"),
    `Driver: builtin
Kept from earlier runs: 2

[create] Meeting Notes
[create] Ideas
[update] Meeting Notes
[update] Ideas
${LISTED}`,
  );
});

test("notes.ts takes the path of the file", async () => {
  await using dir = await tempDir();
  await output(example("notes.ts", dir.path, [`${dir.path}/mine.db`]));
  assert((await Deno.stat(`${dir.path}/mine.db`)).isFile);
});

ffi.test("notes.ts uses the FFI binding if it is permitted", async () => {
  await using dir = await tempDir();
  await output(example("notes.ts", dir.path, []));
  const printed = await output(example("notes.ts", dir.path, [], ["-A"]));
  assertStringIncludes(printed, "Driver: ffi\nKept from earlier runs: 2\n");
});

// config.ts

function configCommand(dir: string): (...args: string[]) => Promise<string> {
  return (...args) => output(example("config.ts", dir, args));
}

test("config.ts sets, gets, lists and deletes settings", async () => {
  await using dir = await tempDir();
  const config = configCommand(dir.path);

  assertEquals(
    await config("set", "search", "enabled: true"),
    "search: created, version 1\n",
  );
  assertEquals(
    await config("set", "search", "{enabled: true}"),
    "search: unchanged, version 1\n",
  );
  assertEquals(
    await config("set", "checkout", "{ rollout: 0.25, regions: [eu, us] }"),
    "checkout: created, version 1\n",
  );
  assertEquals(
    await config("get", "checkout"),
    "rollout: 0.25\nregions:\n  - eu\n  - us\n",
  );
  assertEquals(
    await config("list"),
    "checkout:\n  rollout: 0.25\n  regions:\n    - eu\n    - us\n" +
      "search:\n  enabled: true\n",
  );
  assertEquals(await config("delete", "search"), "search: deleted\n");
  assertEquals(await config("delete", "search"), "search: was not there\n");
});

test("config.ts keeps its settings readable in the file", async () => {
  await using dir = await tempDir();
  await configCommand(dir.path)("set", "search", "{enabled: true, beta: [ui]}");

  using db = new DatabaseSync(`${dir.path}/config.db`);
  const row = db.prepare("SELECT CAST(value AS TEXT) AS text FROM zestor_kv");
  assertEquals(row.get()?.text, "enabled: true\nbeta:\n  - ui\n");
});

const mistakes: [args: string[], code: number, message: RegExp][] = [
  [[], 2, /^Usage:/],
  [["set", "search"], 2, /^Usage:/],
  [["constructor"], 2, /^Usage:/],
  [["get", "nothing"], 1, /^There is no setting "nothing"\n$/],
  [["set", "search", "[1, 2"], 1, /^.+\n/],
];

for (const [args, expected, message] of mistakes) {
  test(`config.ts ${args.join(" ")} fails with an explanation`, async () => {
    await using dir = await tempDir();
    const command = example("config.ts", dir.path, args);
    const { code, stderr } = await command.output();
    assertMatch(text(stderr), message);
    assert(!text(stderr).includes("    at "), "it shows a stack");
    assertEquals(code, expected);
  });
}

testWithSignals(
  "config.ts watch shows the changes of other processes and of plain SQL",
  async () => {
    await using dir = await tempDir();
    const config = configCommand(dir.path);
    await config("set", "search", "enabled: true");

    await using watch = example("config.ts", dir.path, ["watch"]).spawn();
    await using printed = new TextReader(watch.stdout);
    await using errors = new TextReader(watch.stderr);
    const replayed = "--- # create search\nenabled: true\n";
    assertEquals(await printed.until("true\n"), replayed);

    await config("set", "search", "enabled: false");
    const updated = "--- # update search\nenabled: false\n";
    assertEquals(await printed.until("false\n"), updated);

    using db = new DatabaseSync(`${dir.path}/config.db`, { timeout: 5000 });
    db.exec("UPDATE zestor_kv SET value = 'by: hand' WHERE key = 'search'");
    const edited = "--- # update search\nby: hand\n";
    assertEquals(await printed.until("hand\n"), edited);

    watch.kill("SIGINT");
    assertEquals(await printed.rest(), "");
    assertEquals(await errors.rest(), "");
    assertEquals((await watch.status).code, 0);
  },
);

/** An example as a process, killed when it is disposed of. */
function startExample(
  name: string,
  dir: string,
  args: string[],
): AsyncDisposable & { until(line: string): Promise<string> } {
  const child = example(name, dir, args).spawn();
  const printed = new TextReader(child.stdout);
  const errors = new TextReader(child.stderr);
  return {
    until: (line) => printed.until(`${line}\n`),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await printed.rest();
      assertEquals(await errors.rest(), "");
    },
  };
}

// worker.ts

type WorkerKinds = { texts: string; counts: number; cursors: string };

function startWorker(dir: string): ReturnType<typeof startExample> {
  return startExample("worker.ts", dir, ["run"]);
}

test("worker.ts is killed again and again, and misses and repeats nothing", async () => {
  await using dir = await tempDir();
  await using store = await openStore<WorkerKinds>({
    path: `${dir.path}/worker.db`,
    driver: "builtin",
  });
  const results = store.watch("counts").getReader();
  const expected: string[] = [];
  for (let round = 0; round < 5; round++) {
    // Some are written while it is away, some while it works, and it is killed
    // in the middle of them.
    const keys = Array.from({ length: 40 }, (_, i) => `${round}-${i + 10}`);
    const add = async (keys: string[]) => {
      for (const key of keys) {
        await store.set("texts", key, "word ".repeat(expected.push(key)));
      }
    };
    await add(keys.slice(0, 20));
    await using worker = startWorker(dir.path);
    await worker.until(`create ${keys[19]}`);
    const rest = add(keys.slice(20));
    await worker.until(`create ${keys[20 + round * 4]}`);
    await rest;
  }
  await store.set("texts", "last", "one two");
  await store.delete("texts", expected[0]);
  await using worker = startWorker(dir.path);
  await worker.until(`delete ${expected[0]}`);

  // Each count was written once, in order, by whichever of them.
  for (const [i, key] of [...expected, "last"].entries()) {
    const { value } = await results.read();
    assertEquals(value && [value.type, value.key, value.value], [
      "create",
      key,
      key === "last" ? 2 : i + 1,
    ]);
  }
  const { value } = await results.read();
  assertEquals(value && [value.type, value.key], ["delete", expected[0]]);
  await results.cancel();
});

test("worker.ts begins anew when it was away for too long", async () => {
  await using dir = await tempDir();
  await using store = await openStore<WorkerKinds>({
    path: `${dir.path}/worker.db`,
    driver: "builtin",
    history: 10,
  });
  await store.setAll("texts", { gone: "a", kept: "a b" });
  {
    await using worker = startWorker(dir.path);
    await worker.until("create kept");
    await store.set("texts", "kept", "a b c");
    await worker.until("update kept");
  }
  await store.delete("texts", "gone");
  for (let i = 0; i < 100; i++) await store.set("texts", "kept", `a ${i}`);
  await store.set("texts", "new", "a b c d");
  await using worker = startWorker(dir.path);
  await worker.until("create new");
  await store.set("texts", "kept", "a b c d e");
  await worker.until("update kept");
  const counts = await store.list("counts");
  assertEquals(counts, new Map([["kept", 5], ["new", 4]]));
  const done = store.history("texts", "kept", { reverse: true, limit: 1 });
  const [{ cursor }] = await Array.fromAsync(done);
  assertEquals(await store.get("cursors", "word counter"), cursor);
});

testWithSignals("worker.ts does what its usage says", async () => {
  await using dir = await tempDir();
  const worker = (...args: string[]) =>
    output(example("worker.ts", dir.path, args));
  await worker("add", "list", "milk and bread");
  await worker("add", "note", "one");
  const child = example("worker.ts", dir.path, ["run"]).spawn();
  await using printed = new TextReader(child.stdout);
  await using errors = new TextReader(child.stderr);
  await printed.until("create note\n");
  await worker("remove", "note");
  await printed.until("delete note\n");
  child.kill("SIGINT");
  assertEquals(await printed.rest(), "");
  assertEquals(await errors.rest(), "");
  assertEquals((await child.status).code, 0);
  assertEquals(await worker("counts"), "list: 3\n");

  const { code, stderr } = await example("worker.ts", dir.path, ["add"])
    .output();
  assertMatch(text(stderr), /^Usage:/);
  assertEquals(code, 2);
});

// render.ts

test("render.ts writes the pages to a file, in one step", async () => {
  await using dir = await tempDir();
  {
    await using store = await openStore({
      path: dir.file("pages.db"),
      driver: "builtin",
    });
    await store.set("pages", "b", { title: "Second", text: "More." });
    await store.set("pages", "a", { title: "First", text: "Some." });
  }
  const pages = "# First\n\nSome.\n\n# Second\n\nMore.\n";
  assertEquals(await output(example("render.ts", dir.path, [])), `${pages}\n`);
  const render = example("render.ts", dir.path, ["pages.db", "pages.md"]);
  assertEquals(await output(render), "pages.md: 2 pages\n");
  assertEquals(await Deno.readTextFile(dir.file("pages.md")), pages);
});

// scores.ts

test("scores.ts shows the points of other processes", async () => {
  await using dir = await tempDir();
  const add = (player: string, points: string) =>
    output(example("scores.ts", dir.path, [player, points]));
  assertEquals(await add("ann", "3"), "ann has 3\n");
  assertEquals(await add("bob", "5"), "bob has 5\n");
  await using shown = startExample("scores.ts", dir.path, []);
  assertEquals(
    await shown.until("bob 5, ann 3"),
    "  bob entered\n  ann entered\nbob 5, ann 3\n",
  );
  await add("ann", "4");
  assertEquals(
    await shown.until("ann 7, bob 5"),
    "  ann moved\nann 7, bob 5\n",
  );
  await add("bob", "-5");
  assertEquals(await shown.until("ann 7"), "  bob left\nann 7\n");
});

// sse_server.ts

type Notes = Parameters<typeof createHandler>[0];

/** The server on a port of its own, with a store of its own. */
async function serve(
  wrap = (store: Notes) => store,
): Promise<AsyncDisposable & { store: Notes; url: string; stop(): void }> {
  const store: Notes = await openStore({ path: ":memory:" });
  const stopping = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    createHandler(wrap(store), stopping.signal),
  );
  return {
    store,
    url: `http://127.0.0.1:${server.addr.port}`,
    stop: () => stopping.abort(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await server.shutdown();
      await store.close();
    },
  };
}

const RESET = { id: "", event: "reset", data: "" };

/** A client of the event stream. */
class EventStream extends TextReader {
  static async open(url: string, lastEventId?: string): Promise<EventStream> {
    const headers = { ...lastEventId && { "last-event-id": lastEventId } };
    const response = await fetch(`${url}/events`, { headers });
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    assert(response.body);
    return new EventStream(response.body);
  }

  /** The fields of the next block. */
  async next(): Promise<Record<string, string>> {
    const lines = (await this.until("\n\n")).trimEnd().split("\n");
    return Object.fromEntries(lines.map((line) => {
      const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      assert(name, `not a field: ${line}`);
      return [name, value];
    }));
  }

  /** The next event as type, key and title, with its revision if it has an id. */
  async nextNote(): Promise<string> {
    const { id, event, data } = await this.next();
    // A bookmark may come at any time.
    if (event === undefined) return await this.nextNote();
    assert(data, `not a note: ${event}`);
    const { type, key, value, revision, cursor } = JSON.parse(data);
    assertEquals(type, event);
    if (id === undefined) return `${type} ${key} ${value.title}`;
    assertEquals(id, cursor);
    return `${revision} ${type} ${key} ${value.title}`;
  }

  /** The id of the next block, which has nothing else. */
  async nextBookmark(): Promise<string> {
    const { id, ...others } = await this.next();
    assertEquals(others, {});
    return id;
  }
}

/** What a browser has as its last event's id, once it has all that is there. */
async function lastEventId(url: string): Promise<string> {
  await using events = await EventStream.open(url);
  for (;;) {
    const { id, event } = await events.next();
    if (event === undefined) return id;
  }
}

/** Writes a note, and gives what the server answers. */
async function post(url: string, key: string, note: string): Promise<unknown> {
  const response = await fetch(`${url}/notes/${encodeURIComponent(key)}`, {
    method: "POST",
    body: note,
  });
  return await response.json();
}

test("sse_server.ts serves its page", async () => {
  await using server = await serve();
  const response = await fetch(server.url);
  assertEquals(response.headers.get("content-type"), "text/html");
  assertStringIncludes(await response.text(), "new EventSource");
});

test("sse_server.ts answers with the result of the write", async () => {
  await using server = await serve();
  assertEquals(
    await post(server.url, "a/b ü", "Title\nfirst\nsecond"),
    { status: "created", version: 1, revision: 1 },
  );
  const note = await server.store.get("notes", "a/b ü");
  assertEquals(note?.title, "Title");
  assertEquals(note?.content, "first\nsecond");
});

test("sse_server.ts refuses invalid requests", async () => {
  await using server = await serve();
  const requests: [method: string, path: string, status: number][] = [
    ["GET", "/nothing", 404],
    ["POST", "/notes/", 404],
    ["DELETE", "/notes/a", 404],
    ["POST", "/notes/%00", 400],
    ["POST", "/notes/%ff", 400],
  ];
  for (const [method, path, status] of requests) {
    const response = await fetch(server.url + path, { method });
    await response.body?.cancel();
    assertEquals(response.status, status, `${method} ${path}`);
  }
});

test("sse_server.ts replays the notes, then streams changes", async () => {
  await using server = await serve();
  await post(server.url, "a", "Old");

  await using events = await EventStream.open(server.url);
  assertEquals(await events.next(), RESET);
  assertEquals(await events.nextNote(), "create a Old");
  await events.nextBookmark();

  await post(server.url, "b", "New");
  assertEquals(await events.nextNote(), "2 create b New");
  await post(server.url, "a", "Newer");
  assertEquals(await events.nextNote(), "3 update a Newer");
  await server.store.delete("notes", "b");
  assertEquals(await events.nextNote(), "4 delete b New");
});

test("sse_server.ts resumes after the last event that a client had", async () => {
  await using server = await serve();
  let last: string | undefined;
  {
    await using events = await EventStream.open(server.url);
    assertEquals(await events.next(), RESET);
    await events.nextBookmark();
    await post(server.url, "a", "One");
    last = (await events.next()).id;
  }
  await post(server.url, "a", "Two");
  await post(server.url, "b", "Three");

  await using events = await EventStream.open(server.url, last);
  assertEquals(await events.nextNote(), "2 update a Two");
  assertEquals(await events.nextNote(), "3 create b Three");
});

async function idOfAnotherStore(): Promise<string> {
  await using server = await serve();
  await post(server.url, "a", "One");
  return await lastEventId(server.url);
}

const noPlaces: [what: string, id: () => string | Promise<string>][] = [
  ["another store's", idOfAnotherStore],
  ["a number", () => "1"],
  ["not one", () => "x"],
];

for (const [what, id] of noPlaces) {
  test(`sse_server.ts replays for a last event that is ${what}`, async () => {
    await using server = await serve();
    await post(server.url, "a", "One");

    await using events = await EventStream.open(server.url, await id());
    assertEquals(await events.next(), RESET);
    assertEquals(await events.nextNote(), "create a One");
    await events.nextBookmark();
    await post(server.url, "a", "Two");
    assertEquals(await events.nextNote(), "2 update a Two");
  });
}

test("sse_server.ts ends the watch of a client that leaves", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = await serve((store) => reportEndOfWatches(store, ended));
  {
    await using events = await EventStream.open(server.url);
    assertEquals(await events.next(), RESET);
  }
  await ended.promise;
});

/** The store, with a promise that resolves when a watch is cancelled. */
function reportEndOfWatches(
  store: Notes,
  ended: PromiseWithResolvers<void>,
): Notes {
  const watch = (...args: Parameters<Notes["watch"]>) => {
    const reader = store.watch(...args).getReader();
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        await reader.cancel(reason);
        ended.resolve();
      },
    });
  };
  return { watch } as Notes; // All that the event stream uses.
}

test("sse_server.ts ends its streams when it stops", async () => {
  await using server = await serve();
  await using events = await EventStream.open(server.url);
  assertEquals(await events.next(), RESET);
  await events.nextBookmark();
  server.stop();
  assertEquals(await events.rest(), "");
});

testWithSignals(
  "sse_server.ts ends cleanly on SIGTERM, while a client is connected",
  async () => {
    await using dir = await tempDir();
    const args = [`${dir.path}/notes.db`, "0"];
    await using server = example("sse_server.ts", dir.path, args, [
      `--allow-read=${dir.path}`,
      `--allow-write=${dir.path}`,
      "--allow-net=127.0.0.1",
    ]).spawn();
    await using printed = new TextReader(server.stdout);
    await using errors = new TextReader(server.stderr);
    await printed.until("http://127.0.0.1:");
    const port = parseInt(await printed.until("/"));

    await using events = await EventStream.open(`http://127.0.0.1:${port}`);
    assertEquals(await events.next(), RESET);
    server.kill("SIGTERM");
    await events.rest();
    await printed.rest();
    assertEquals(await errors.rest(), "");
    assertEquals((await server.status).code, 0);
  },
);

// Every example on the store in memory.

/** Writes a copy of an example that opens a store in memory, and gives its path. */
async function copyInMemory(name: string, dir: string): Promise<string> {
  const text = await Deno.readTextFile(new URL(name, examples));
  const swapped = text.replace(
    /^import \{([^}]*?)\bopenStore\b,?([^}]*)\} from "@zestor\/store";$/m,
    (_, before: string, after: string) => {
      const others = `${before}${after}`.trim();
      return [
        `import { openMemoryStore as openStore } from "@zestor/store/memory";`,
        ...others === "" ? [] : [`import { ${others} } from "@zestor/store";`],
      ].join("\n");
    },
  );
  assert(swapped !== text, `${name} does not import openStore`);
  const file = `${dir}/${name}`;
  await Deno.writeTextFile(file, swapped);
  return file;
}

/** What each example does in memory; a copy is a command of its arguments. */
const inMemory: Record<
  string,
  (copy: (...args: string[]) => Deno.Command) => Promise<void>
> = {
  async "notes.ts"(copy) {
    // Nothing is kept from one run to the next.
    for (let run = 0; run < 2; run++) {
      const printed = await output(copy());
      assertEquals(
        printed.replaceAll(NOW, "NOW"),
        `Driver: memory
Kept from earlier runs: 0

[create] Meeting Notes
[create] Ideas
${LISTED}`,
      );
    }
  },

  async "config.ts"(copy) {
    assertEquals(
      await output(copy("set", "search", "enabled: true")),
      "search: created, version 1\n",
    );
    const { code, stderr } = await copy("get", "search").output();
    assertEquals(text(stderr), 'There is no setting "search"\n');
    assertEquals(code, 1);
    assertEquals(await output(copy("list")), "{}\n");
    assertEquals(
      await output(copy("delete", "search")),
      "search: was not there\n",
    );
    await interrupt(copy("watch"));
  },

  async "render.ts"(copy) {
    assertEquals(await output(copy()), "\n");
  },

  async "worker.ts"(copy) {
    assertEquals(await output(copy("add", "note", "one")), "");
    assertEquals(await output(copy("remove", "note")), "");
    assertEquals(await output(copy("counts")), "");
    await interrupt(copy("run"));
  },

  async "scores.ts"(copy) {
    assertEquals(await output(copy("ann", "3")), "ann has 3\n");
    await using child = copy().spawn();
    await using printed = new TextReader(child.stdout);
    await using errors = new TextReader(child.stderr);
    // It has no scores, and waits for some.
    assertEquals(await printed.line(), "");
    child.kill();
    assertEquals(await errors.rest(), "");
  },

  async "board.ts"(copy) {
    await using server = copy().spawn();
    await using printed = new TextReader(server.stdout);
    await using errors = new TextReader(server.stderr);
    await printed.until("http://127.0.0.1:");
    const url = `http://127.0.0.1:${parseInt(await printed.until("/"))}/`;
    const posted = await fetch(url, { method: "POST", body: "Hello" });
    assertEquals(await posted.json(), { revision: 1 });
    assertEquals(await (await fetch(url)).json(), ["Hello"]);
    server.kill();
    assertEquals(await errors.rest(), "");
  },

  async "sse_server.ts"(copy) {
    await using server = copy("notes.db", "0").spawn();
    await using printed = new TextReader(server.stdout);
    await using errors = new TextReader(server.stderr);
    await printed.until("http://127.0.0.1:");
    const url = `http://127.0.0.1:${parseInt(await printed.until("/"))}`;
    const page = await fetch(url);
    assertStringIncludes(await page.text(), "new EventSource");

    await using events = await EventStream.open(url);
    assertEquals(await events.next(), RESET);
    await events.nextBookmark();
    await post(url, "a", "One");
    assertEquals(await events.nextNote(), "1 create a One");
    if (Deno.build.os === "windows") return server.kill();
    server.kill("SIGINT");
    await events.rest();
    await printed.rest();
    assertEquals(await errors.rest(), "");
    assertEquals((await server.status).code, 0);
  },
};

/** Interrupts a command that follows what happens, once it listens for that. */
async function interrupt(command: Deno.Command): Promise<void> {
  await using child = command.spawn();
  await using printed = new TextReader(child.stdout);
  await using errors = new TextReader(child.stderr);
  await printed.until(`${LISTENING}\n`);
  if (Deno.build.os === "windows") return child.kill();
  child.kill("SIGINT");
  assertEquals(await printed.rest(), "");
  assertEquals(await errors.rest(), "");
  assertEquals((await child.status).code, 0);
}

const LISTENING = "listening for signals";

/** Makes a program say when it listens for a signal. */
const tellListening = `data:text/javascript,${
  encodeURIComponent(`
    const { addSignalListener } = Deno;
    Deno.addSignalListener = (...args) => {
      addSignalListener(...args);
      console.log("${LISTENING}");
    };`)
}`;

for (const name of exampleNames) {
  test(`${name} runs in memory`, async () => {
    await using dir = await tempDir();
    const file = await copyInMemory(name, dir.path);
    const run = inMemory[name];
    assert(run, `there is no test of ${name} in memory`);
    const flags = [
      `--preload=${tellListening}`,
      "--allow-net=127.0.0.1",
      "--allow-env=PGHOST,HOST,PORT",
    ];
    await run((...args) => program(file, dir.path, args, flags));
    // There is no file but the copy itself.
    const files = await Array.fromAsync(Deno.readDir(dir.path));
    assertEquals(files.map(({ name }) => name), [name]);
  });
}

test("the examples in memory type-check", async () => {
  await using dir = await tempDir();
  const copies: string[] = [];
  for (const name of exampleNames) {
    copies.push(await copyInMemory(name, dir.path));
  }
  const packages = fileURLToPath(
    new URL("../tools/packages.ts", import.meta.url),
  );
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", packages, "check", ...copies],
    env: { NO_COLOR: "1" },
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  }).output();
  assertEquals(code, 0, text(stderr));
});
