/**
 * Runs every example on etcd. Only the line that opens the store is changed.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openEtcdStore } from "../../src/etcd/open_etcd_store.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";
import { exampleNames } from "../support/example_names.ts";
import { denoRun } from "../support/processes/deno_run.ts";
import { TextReader } from "../support/processes/text_reader.ts";
import { tempDir } from "../support/temp_dir.ts";

const examples = new URL("../../examples/", import.meta.url);

/** `board.ts` chooses its store by its arguments. */
const names = exampleNames.filter((name) => name !== "board.ts");

/** The place of the entries of the copied examples. */
interface Place {
  readonly endpoints: readonly string[];
  readonly prefix: string;
}

/** The text of an example, changed so that it opens a store on etcd. */
function onEtcd(text: string, { endpoints, prefix }: Place): string {
  const place = `endpoints: ${JSON.stringify(endpoints)}, prefix: "${prefix}"`;
  return text
    .replace(
      /^import \{([^}]*?)\bopenStore\b,?([^}]*)\} from "@zestor\/store";$/m,
      (_, before: string, after: string) =>
        `import { openEtcdStore } from "@zestor/store/etcd";\n` +
        `import { ${before}${after} } from "@zestor/store";`,
    )
    .replace(
      /\bopenStore(<.*>)\(\{\s*path(?:: [^,}]+)?/,
      `openEtcdStore$1({ ${place}`,
    )
    .replace(/\n *driver: "builtin",/, "");
}

/** Writes a copy of an example that opens a store on etcd. Returns its path. */
async function copy(name: string, dir: string, place: Place): Promise<string> {
  const text = await Deno.readTextFile(new URL(name, examples));
  const changed = onEtcd(text, place);
  assertStringIncludes(changed, "openEtcdStore<", `${name} opens no store`);
  assert(!/\bopenStore\b/.test(changed), `${name} opens another store`);
  const file = `${dir}/${name}`;
  await Deno.writeTextFile(file, changed);
  return file;
}

type Run = (...args: string[]) => Deno.Command;

async function output(command: Deno.Command): Promise<string> {
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  assertEquals(decoder.decode(stderr), "");
  assertEquals(code, 0);
  return decoder.decode(stdout);
}

const NOW = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
const LISTED = `
note-1: Meeting Notes, updated NOW
note-2: Ideas, updated NOW
Total notes: 2
`;

/** A command that follows what happens, until it is interrupted. */
async function follow(
  command: Deno.Command,
  act: (printed: TextReader) => Promise<void>,
): Promise<void> {
  await using child = command.spawn();
  await using printed = new TextReader(child.stdout);
  await using errors = new TextReader(child.stderr);
  await act(printed);
  child.kill("SIGINT");
  await printed.rest();
  assertEquals(await errors.rest(), "");
  assertEquals((await child.status).code, 0);
}

/** Runs each example, and checks its output. */
const runs: Record<string, (run: Run, place: Place) => Promise<void>> = {
  async "notes.ts"(run) {
    const first = await output(run());
    const created = "[create] Meeting Notes\n[create] Ideas\n";
    assertEquals(
      first.replaceAll(NOW, "NOW"),
      `Driver: etcd\nKept from earlier runs: 0\n\n${created}${LISTED}`,
    );
    const second = await output(run());
    assertEquals(
      second.replaceAll(NOW, "NOW"),
      `Driver: etcd\nKept from earlier runs: 2\n\n${created}` +
        `[update] Meeting Notes\n[update] Ideas\n${LISTED}`,
    );
  },

  async "config.ts"(run) {
    const set = (text: string) => output(run("set", "search", text));
    assertEquals(
      await set("enabled: true"),
      "search: created, version 1\n",
    );
    assertEquals(
      await set("{enabled: true}"),
      "search: unchanged, version 1\n",
    );
    assertEquals(await output(run("get", "search")), "enabled: true\n");
    assertEquals(await output(run("list")), "search:\n  enabled: true\n");
    await follow(run("watch"), async (printed) => {
      assertEquals(
        await printed.until("true\n"),
        "--- # create search\nenabled: true\n",
      );
      await set("enabled: false");
      assertEquals(
        await printed.until("false\n"),
        "--- # update search\nenabled: false\n",
      );
    });
    assertEquals(await output(run("delete", "search")), "search: deleted\n");
  },

  async "render.ts"(run, place) {
    await using store = await openEtcdStore(place);
    await store.set("pages", "b", { title: "Second", text: "More." });
    await store.set("pages", "a", { title: "First", text: "Some." });
    assertEquals(
      await output(run()),
      "# First\n\nSome.\n\n# Second\n\nMore.\n\n",
    );
    assertEquals(
      await output(run("pages.db", "pages.md")),
      "pages.md: 2 pages\n",
    );
  },

  async "scores.ts"(run) {
    assertEquals(await output(run("ann", "3")), "ann has 3\n");
    await using child = run().spawn();
    await using printed = new TextReader(child.stdout);
    await using errors = new TextReader(child.stderr);
    await printed.until("  ann entered\nann 3\n");
    assertEquals(await output(run("bob", "5")), "bob has 5\n");
    assertEquals(
      await printed.until("ann 3\n"),
      "  bob entered\nbob 5, ann 3\n",
    );
    child.kill();
    assertEquals(await errors.rest(), "");
  },

  async "worker.ts"(run, place) {
    await using store = await openEtcdStore<
      { texts: string; counts: number; cursors: string }
    >(place);
    const results = store.watch("counts").getReader();
    const expected: string[] = [];
    const add = async (key: string) => {
      await store.set("texts", key, "word ".repeat(expected.push(key)));
    };
    for (let round = 0; round < 3; round++) {
      // Some are written while it is away, some while it works, and it is killed.
      for (let i = 10; i < 20; i++) await add(`${round}-${i}`);
      await using worker = run("run").spawn();
      await using printed = new TextReader(worker.stdout);
      await using errors = new TextReader(worker.stderr);
      await printed.until(`create ${round}-19\n`);
      const rest = (async () => {
        for (let i = 20; i < 30; i++) await add(`${round}-${i}`);
      })();
      await printed.until(`create ${round}-${22 + round}\n`);
      worker.kill("SIGKILL");
      await rest;
      await printed.rest();
      assertEquals(await errors.rest(), "");
    }
    await output(run("add", "last", "one two"));
    await follow(run("run"), async (printed) => {
      await printed.until("create last\n");
      await output(run("remove", "last"));
      await printed.until("delete last\n");
    });
    for (const [i, key] of [...expected, "last"].entries()) {
      const { value } = await results.read();
      const words = key === "last" ? 2 : i + 1;
      assertEquals([value?.type, value?.key, value?.value], [
        "create",
        key,
        words,
      ]);
    }
    const { value } = await results.read();
    assertEquals([value?.type, value?.key], ["delete", "last"]);
    await results.cancel();
  },

  async "sse_server.ts"(run) {
    await follow(run("notes.db", "0"), async (printed) => {
      await printed.until("http://127.0.0.1:");
      const url = `http://127.0.0.1:${parseInt(await printed.until("/"))}`;
      const { body } = await fetch(`${url}/events`);
      await using events = new TextReader(body!);
      assertEquals(await events.until("\n\n"), "id:\nevent: reset\ndata:\n\n");
      await events.until("\n\n");
      const headers = { "content-type": "text/plain" };
      const note = { method: "POST", body: "One", headers };
      const response = await fetch(`${url}/notes/a`, note);
      assertEquals(await response.json(), {
        status: "created",
        version: 1,
        revision: 1,
      });
      const id = /^id: (\S+)\nevent: create\n/.exec(await events.until("\n\n"));
      await (await fetch(`${url}/notes/a`, { ...note, body: "Two" })).text();
      const resumed = await fetch(`${url}/events`, {
        headers: { "last-event-id": id![1] },
      });
      await using rest = new TextReader(resumed.body!);
      assertStringIncludes(await rest.until("\n\n"), '"title":"Two"');
    });
  },
};

for (const name of names) {
  testEtcd(`${name} runs on etcd`, async ({ url }) => {
    await using dir = await tempDir();
    const place = { endpoints: [url], prefix: freshPrefix() };
    const file = await copy(name, dir.path, place);
    const run = runs[name];
    assert(run, `there is no test of ${name} on etcd`);
    const command: Run = (...args) =>
      denoRun(file, {
        flags: [
          `--allow-read=${dir.path}`,
          `--allow-write=${dir.path}`,
          "--allow-net=127.0.0.1",
        ],
        args,
        cwd: dir.path,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        env: { NO_COLOR: "1" },
      });
    await run(command, place);
  });
}
