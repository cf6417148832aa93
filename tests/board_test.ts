/**
 * examples/board.ts, in a file and in PostgreSQL, and the PostgreSQL that
 * docs/compose.yaml starts for it.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "@std/yaml";
import { drivers } from "./support/drivers.ts";
import { startServer } from "./support/postgres/server.ts";
import { testServer } from "./support/postgres/test_server.ts";
import { denoRun } from "./support/processes/deno_run.ts";
import { TextReader } from "./support/processes/text_reader.ts";
import { tempDir } from "./support/temp_dir.ts";

const examples = new URL("../examples/", import.meta.url);
const [{ test }] = drivers;

/** Runs the board: a feed tells what was there, and what comes. */
async function checkBoard(
  dir: string,
  env: Record<string, string>,
): Promise<void> {
  await using server = denoRun(new URL("board.ts", examples), {
    flags: ["--allow-net", "--allow-env", "--allow-read", "--allow-write=."],
    cwd: dir,
    env: { PORT: "0", NO_COLOR: "1", ...env },
    stdout: "piped",
  }).spawn();
  await using printed = new TextReader(server.stdout);
  await printed.until("http://127.0.0.1:");
  const port = parseInt(await printed.until("/"));
  const url = `http://127.0.0.1:${port}/`;
  const post = async (body: string) => {
    const response = await fetch(url, { method: "POST", body });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await post("One"), 200);
  assertEquals(await post(""), 400);
  const { body } = await fetch(`${url}feed`);
  await using feed = new TextReader(body!);
  await feed.until('"One"\n');
  assertEquals(await post("Two"), 200);
  await feed.until('"Two"\n');
  const listed = await fetch(url);
  assertEquals(await listed.json(), ["Two", "One"]);
  server.kill();
}

test("board.ts keeps its messages in a file", async () => {
  await using dir = await tempDir();
  await checkBoard(dir.path, {});
  const { size } = await Deno.stat(dir.file("board.db"));
  assert(size > 0);
});

testServer(
  "board.ts keeps its messages in PostgreSQL if PGHOST is set",
  async (binaries) => {
    await using server = await startServer({ binaries });
    await using dir = await tempDir();
    const { hostname, port, username } = new URL(server.url);
    await checkBoard(dir.path, {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGDATABASE: "postgres",
    });
    const [{ count }] = await server.query(
      "SELECT count(*)::int AS count FROM zestor.zestor_kv",
    );
    assertEquals(count, 2);
    assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
  },
);

Deno.test("docs/compose.yaml starts the server for board.ts", async () => {
  const compose = parse(
    await Deno.readTextFile(new URL("../docs/compose.yaml", import.meta.url)),
  ) as Compose;
  const { environment, ports } = compose.services.postgres;
  assertEquals(ports, ["127.0.0.1:5432:5432"]);
  const board = await Deno.readTextFile(new URL("board.ts", examples));
  assertStringIncludes(
    board,
    `PGHOST=127.0.0.1 PGUSER=${environment.POSTGRES_USER} PGPASSWORD=${environment.POSTGRES_PASSWORD} PGDATABASE=${environment.POSTGRES_DB} deno run`,
  );
});

/** What the test reads of the file. */
interface Compose {
  services: {
    postgres: { environment: Record<string, string>; ports: string[] };
  };
}
