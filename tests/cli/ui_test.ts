/**
 * `zestor ui`: it serves the page, and ends when it is told to.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assetPaths } from "../../src/inspector/assets.ts";
import { DEFAULT_PORT } from "../../src/cli/serving/serve.ts";
import { hereIn, openBeside, outputOfCli, runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { openBrowserStream } from "../support/inspector/browser_stream.ts";
import type { StreamEvents } from "../../src/inspector/api.ts";
import { openPostgresStore } from "../../src/postgres/open_postgres_store.ts";
import {
  adminQuery,
  freshSchema,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { type RunningCli, startCli } from "../support/running_cli.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** Windows has no signals to send. */
const testSignals = Deno.build.os === "windows" ? Deno.test.ignore : test;

async function withStore(): Promise<TempDir> {
  const dir = await tempDir();
  await using store = await openBeside(dir.file("app.db"));
  await store.set("users", "alice", { name: "Alice" });
  return dir;
}

/** A session of the page that the command serves. */
async function openPage(ui: RunningCli) {
  const url = new URL(await ui.line());
  const first = await fetch(url, { redirect: "manual" });
  await first.body?.cancel();
  const cookie = first.headers.get("set-cookie")!.split(";")[0];
  const send = (path: string, body?: unknown) =>
    fetch(new URL(path, url), {
      headers: { cookie, "content-type": "application/json" },
      ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
    });
  return { url, send, cookie };
}

async function stop(ui: RunningCli, signal: Deno.Signal = "SIGINT") {
  ui.kill(signal);
  const { code, stderr } = await ui.ended();
  assertEquals([code, stderr], [0, ""]);
}

testSignals(
  "`zestor ui` serves the store with the permissions of its help, until it is interrupted",
  async () => {
    await using dir = await withStore();
    const help = await outputOfCli(["ui", "--help"], {
      cwd: dir.path,
      permissions: [],
    });
    const [, permissions] = /^Permissions: (.*)$/m.exec(help)!;
    assert(permissions.includes(`127.0.0.1:${DEFAULT_PORT}`), permissions);
    // The default port may be taken, by another test too.
    const flags = permissions.replace(`:${DEFAULT_PORT}`, "").split(" ");
    const ui = startCli(["ui", "--db", "app.db", "--port", "0"], {
      cwd: dir.path,
      permissions: flags,
    });
    const { url, send } = await openPage(ui);
    assertEquals([url.hostname, url.pathname], ["127.0.0.1", "/"]);
    for (const path of [...assetPaths(), "api/info"]) {
      const response = await send(path);
      assertEquals(response.status, 200, path);
      await response.body?.cancel();
    }
    const session = await (await send("api/session")).json();
    assertEquals([session.canWrite, session.engine], [false, "sqlite"]);
    assert(session.location.endsWith("app.db"), session.location);

    await using stream = openBrowserStream<StreamEvents>(
      await send("api/events"),
    );
    await stream.expect("start");
    {
      // Another process.
      await using store = await openBeside(dir.file("app.db"));
      await store.set("users", "bob", { name: "Bob" });
    }
    const { changes } = await stream.expect("changes");
    assertEquals(changes[0].key, "bob");
    ui.kill("SIGINT");
    assertEquals((await stream.next())?.event, "end");
    const { code, stderr } = await ui.ended();
    assertEquals([code, stderr], [0, ""]);
  },
);

testSignals("`zestor ui --write` lets the page write", async () => {
  await using dir = await withStore();
  const ui = startCli(["ui", "--write", "--port", "0"], hereIn(dir.path));
  const { send } = await openPage(ui);
  const written = await send("api/set", {
    kind: "users",
    key: "eve",
    text: "{}",
    ifRevision: 0,
  });
  assertEquals((await written.json()).status, "created");
  await stop(ui, "SIGTERM");
  await using store = await openBeside(dir.file("app.db"));
  assertEquals(await store.get("users", "eve"), {});
});

testSignals(
  "a browser that does not read keeps `zestor ui` from ending for a moment only",
  async () => {
    await using dir = await withStore();
    const ui = startCli(["ui", "--port", "0"], hereIn(dir.path));
    const { url, send, cookie } = await openPage(ui);
    using connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: Number(url.port),
    });
    const request =
      `GET /api/events HTTP/1.1\r\nhost: ${url.host}\r\ncookie: ${cookie}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    // It has been answered to when this is.
    await (await send("api/session")).body?.cancel();
    await stop(ui);
  },
);

testSignals(
  "a port that is taken is an error, and the default one gives way to another",
  async () => {
    await using dir = await withStore();
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const taken = await runCli(
      ["ui", "--port", String(port)],
      hereIn(dir.path),
    );
    listener.close();
    assertEquals(taken.code, 2);
    assertMatch(
      taken.stderr,
      /^zestor: Cannot listen on 127\.0\.0\.1:\d+: the port is taken; .*\n$/,
    );

    // One of them does not have the default port.
    const running = [1, 2].map(() => startCli(["ui"], hereIn(dir.path)));
    const ports = await Promise.all(
      running.map(async (ui) => new URL(await ui.line()).port),
    );
    assert(ports[0] !== ports[1], ports.join());
    await Promise.all(running.map((ui) => stop(ui)));
  },
);

testSignals(
  "on another address, a warning comes first, and requests for its name are answered",
  async () => {
    await using dir = await withStore();
    const ui = startCli(
      ["ui", "--host", "0.0.0.0", "--port", "0"],
      hereIn(dir.path),
    );
    const { url, send } = await openPage(ui);
    assertEquals(url.hostname, "127.0.0.1");
    await (await send("api/session")).body?.cancel();
    ui.kill("SIGINT");
    const { code, stderr } = await ui.ended();
    assertEquals(code, 0);
    assertMatch(stderr, /^zestor: Other machines can reach 0\.0\.0\.0\. .*\n$/);
  },
);

test("`zestor ui` names the missing permission", async () => {
  await using dir = await withStore();
  const run = (args: string[], ...permissions: string[]) =>
    runCli(["ui", "--db", "app.db", ...args], { cwd: dir.path, permissions });
  const read = "--allow-read=app.db,app.db-wal";
  const net = "--allow-net=127.0.0.1";
  const cases = await Promise.all([
    run([], read),
    run(["--port", "1234"], read, "--allow-net=127.0.0.1:1235"),
    run(["--port", "0"], net),
    run(["--port", "0", "--write"], net, read),
    run(["--host", "nobody.invalid", "--port", "0"], "--allow-net", read),
    run(["--port", "70000"], net, read),
    run(["--port", "0", "--db", "missing.db"], "-A"),
    run(["--port", "0", "--open"], read, net),
  ]);
  assertEquals(cases.map(({ code }) => code), [2, 2, 2, 2, 2, 2, 2, 2]);
  assertMatch(cases[0].stderr, /--allow-net=127\.0\.0\.1:\d+\n$/);
  assertMatch(cases[1].stderr, /--allow-net=127\.0\.0\.1:1234\n$/);
  assertMatch(cases[2].stderr, /--allow-read=app\.db\n$/);
  assertMatch(cases[3].stderr, /--allow-write=app\.db\n$/);
  assertMatch(cases[4].stderr, /^zestor: Cannot listen on nobody\.invalid:0: /);
  assertMatch(cases[5].stderr, /^zestor: .*--port.*\n$/);
  assertMatch(
    cases[7].stderr,
    /^zestor: Cannot open the browser: the permission is missing; /,
  );
  // The URL was printed before.
  assertMatch(cases[7].stdout, /^http:\/\/127\.0\.0\.1:\d+\/\?token=\S+\n$/);
});

testPostgres(
  "`zestor ui` serves a store in PostgreSQL, and tells no password",
  async (server) => {
    const schema = freshSchema();
    const url = new URL(server.url);
    // The server trusts everybody, with any password.
    url.password = "pw-7d1c2";
    await using store = await openPostgresStore({ url: url.href, schema });
    await store.set("users", "alice", 1);
    await using dir = await tempDir();
    const ui = startCli(
      ["ui", "--db", url.href, "--schema", schema, "--write", "--port", "0"],
      { cwd: dir.path },
    );
    const { send } = await openPage(ui);
    const texts: string[] = [];
    for (const path of ["api/session", "api/info", "api/kinds"]) {
      const response = await send(path);
      assertEquals(response.status, 200, path);
      texts.push(await response.text());
    }
    const session = JSON.parse(texts[0]);
    assertEquals([session.engine, session.schema], ["postgres", schema]);
    assert(!texts.join().includes("pw-7d1c2"), texts.join());
    const written = await send("api/set", {
      kind: "users",
      key: "bob",
      text: "2",
      ifRevision: 0,
    });
    assertEquals((await written.json()).status, "created");
    assertEquals(await store.get("users", "bob"), 2);
    await stop(ui);
    await adminQuery(`DROP SCHEMA ${schema} CASCADE`);
  },
);

testSignals(
  "`zestor ui --open` opens the page with the system's program",
  async () => {
    if (Deno.build.os !== "linux") return;
    await using dir = await withStore();
    await Deno.mkdir(dir.file("bin"));
    await Deno.writeTextFile(
      dir.file("bin/xdg-open"),
      `#!/bin/sh\necho "$1" > opened.tmp\nmv opened.tmp opened\n`,
      { mode: 0o755 },
    );
    const here = hereIn(dir.path);
    const PATH = `${dir.file("bin")}:${Deno.env.get("PATH")}`;
    const watcher = Deno.watchFs(dir.path);
    const ui = startCli(["ui", "--open", "--port", "0"], {
      ...here,
      env: { ...here.env, PATH },
    });
    const url = await ui.line();
    for await (const { paths } of watcher) {
      if (paths.some((path) => path.endsWith("/opened"))) break;
    }
    assertEquals(await Deno.readTextFile(dir.file("opened")), `${url}\n`);
    await stop(ui);
  },
);
