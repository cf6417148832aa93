/**
 * The command on a store in PostgreSQL.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  openPostgresStore,
  type PostgresStore,
} from "../../src/postgres/open_postgres_store.ts";
import { openStore } from "../../mod.ts";
import {
  changeAtRandom,
  eventsUntil,
  linesOfStore,
  untilEnd,
} from "../support/copying.ts";
import { type CliOptions, outputOfCli, runCli } from "../support/cli.ts";
import { openProxy } from "../support/postgres/proxy.ts";
import {
  adminQuery,
  freshSchema,
  testPostgres,
} from "../support/postgres/test_postgres.ts";
import { withSeed } from "../support/random.ts";
import { startCli } from "../support/running_cli.ts";
import { tempDir } from "../support/temp_dir.ts";

/** The server trusts everybody, with any password. */
const PASSWORD = "pw-7d1c2";

interface Here extends AsyncDisposable {
  /** A directory, and an environment that names the store. */
  readonly here: CliOptions;
  readonly url: string;
  readonly schema: string;
  /** Opens the store beside the command. */
  open(): Promise<PostgresStore>;
  file(name: string): string;
}

async function setUp(server: { readonly url: string }): Promise<Here> {
  const dir = await tempDir();
  const schema = freshSchema();
  const url = new URL(server.url);
  url.password = PASSWORD;
  return {
    url: url.href,
    schema,
    here: {
      cwd: dir.path,
      env: { ZESTOR_DB: url.href, ZESTOR_SCHEMA: schema },
    },
    open: () => openPostgresStore({ url: url.href, schema }),
    file: dir.file,
    async [Symbol.asyncDispose]() {
      await adminQuery(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function hasSchema(name: string): Promise<boolean> {
  const found = await adminQuery(
    "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1",
    [name],
  );
  return found.length > 0;
}

testPostgres(
  "commands read and write a store in PostgreSQL",
  async (server) => {
    await using it = await setUp(server);
    const run = (...args: string[]) => outputOfCli(args, it.here);
    const set = (version: number, revision: number) =>
      JSON.stringify({
        status: version === 1 ? "created" : "updated",
        version,
        revision,
      }) + "\n";
    assertEquals(await run("set", "users", "alice", '{"n":1}'), set(1, 1));
    assertEquals(await run("set", "users", "alice", '{"n":2}'), set(2, 2));
    assertEquals(await run("set", "users", "bob", "3"), set(1, 3));
    assertEquals(await run("get", "users", "alice"), '{"n":2}\n');
    assertEquals(await run("get", "users", "alice", "--at", "1"), '{"n":1}\n');
    assertEquals(await run("keys", "users", "--raw"), "alice\nbob\n");
    assertEquals(await run("count", "users"), "2\n");
    assertEquals((await run("log", "users", "alice")).split("\n").length, 3);
    assertEquals(await run("verify"), "");
    assertEquals(
      await run("copy", "users", "people"),
      '{"from":"users","to":"people","entries":2}\n',
    );
    assertEquals(
      await run("rename", "people", "folk"),
      '{"from":"people","to":"folk","entries":2}\n',
    );
    assertEquals(await run("kinds"), '"folk"\n"users"\n');
    const exported = await run("export", "--kind", "users");
    await run("delete", "users", "--all");
    assertEquals(await run("count", "users"), "0\n");
    await outputOfCli(["import"], { ...it.here, input: exported });
    assertEquals(await run("export", "--kind", "users"), exported);
    await outputOfCli(
      ["edit", "users", "bob", "--editor", "printf 4 >"],
      it.here,
    );
    assertEquals(await run("get", "users", "bob"), "4\n");

    const info = JSON.parse(await run("info"));
    assertEquals([info.schema, info.kinds], [
      it.schema,
      [{ kind: "folk", count: 2 }, { kind: "users", count: 2 }],
    ]);
    const table = await run("info", "--format", "table");
    assertMatch(table, /^URL +postgres:\/\/\S+\nSCHEMA +zt_/);
    assertMatch(table, /\nKIND users +2\n/);
    assert(!`${table}${JSON.stringify(info)}`.includes(PASSWORD));
  },
);

testPostgres(
  "no command but set and import makes the schema",
  async (server) => {
    await using it = await setUp(server);
    const commands = [
      ["get", "k", "a"],
      ["watch", "k"],
      ["delete", "k", "a"],
      ["rename", "k", "l"],
      ["set", "k", "a", "1", "--if-version", "3"],
      ["export"],
      ["info"],
      ["verify"],
      ["edit", "k", "a", "--editor", "true"],
    ];
    for (const args of commands) {
      const { code, stderr } = await runCli(args, it.here);
      assertMatch(
        stderr,
        /^zestor: Cannot open store at postgres:[^\n]*: the schema "zt_\w+" contains no store; check the schema, or create it with "zestor set"\n$/,
      );
      assertEquals(code, 3, args[0]);
    }
    assertEquals(await hasSchema(it.schema), false);
    await outputOfCli(
      ["edit", "k", "a", "--create", "--editor", "printf 1 >"],
      it.here,
    );
    assertEquals(await hasSchema(it.schema), true);
  },
);

testPostgres("a command for files says what to do instead", async (server) => {
  await using it = await setUp(server);
  const cases: [args: string[], says: RegExp][] = [
    [["backup", "copy.db"], /Cannot back up: .*; use pg_dump$/m],
    [["compact"], /Cannot compact: .*; use VACUUM of PostgreSQL$/m],
    [["kinds", "--driver", "builtin"], /--driver is for files/],
    [["kinds", "--db", `${it.url}?schema=x`], /give --schema NAME/],
    [["kinds", "--schema", ""], /"" is not the name of a schema/],
    [["kinds", "--schema", "pg_x"], /does not begin with "pg_"/],
    [["kinds", "--db", "app.db", "--schema", "x"], /--schema is for Postg/],
  ];
  for (const [args, says] of cases) {
    const { code, stdout, stderr } = await runCli(args, it.here);
    assertMatch(stderr, /^zestor: [^\n]*\n$/);
    assertMatch(stderr, says);
    assertEquals([code, stdout], [2, ""], args.join(" "));
  }
});

testPostgres(
  "a command needs the network and the client's variables alone",
  async (server) => {
    await using it = await setUp(server);
    await outputOfCli(["set", "k", "a", "1"], it.here);
    const { host } = new URL(it.url);
    const net = `--allow-net=${host}`;
    const env = "--allow-env=PG*";
    const run = (...permissions: string[]) =>
      runCli(["get", "k", "a", "--db", it.url, "--schema", it.schema], {
        ...it.here,
        permissions,
      });
    assertEquals(await run(net, env), { code: 0, stdout: "1\n", stderr: "" });
    const [withoutNet, withoutEnv] = await Promise.all([run(env), run(net)]);
    assertEquals(withoutNet, {
      code: 2,
      stdout: "",
      stderr:
        `zestor: Cannot connect to ${host}: the permission is missing; run deno with ${net}\n`,
    });
    assertEquals(withoutEnv, {
      code: 2,
      stdout: "",
      stderr:
        "zestor: Cannot open store: the permission is missing; run deno with --allow-env='PG*'\n",
    });
  },
);

testPostgres(
  "watch keeps its place, waits for the schema, and runs commands that find the store",
  async (server) => {
    await using it = await setUp(server);
    const waiting = startCli(
      ["watch", "k", "--wait", "--after", "0", "--cursor", "seen"],
      it.here,
    );
    await using store = await it.open();
    await store.set("k", "a", 1);
    assertMatch(await waiting.line(), /"key":"a"/);
    waiting.kill("SIGINT");
    const { code, stderr } = await waiting.ended();
    assertEquals(code, 0);
    assert(!stderr.includes(PASSWORD), stderr);

    await store.set("k", "b", 2);
    // The pattern is not the password, and so does not find itself.
    const pattern = PASSWORD.replace(/\d/, "[$&]");
    const exec =
      `cat; printenv ZESTOR_DB ZESTOR_SCHEMA; ps -A -o args | grep -c '${pattern}' || true`;
    const again = startCli(
      ["watch", "k", "--cursor", "seen", "--exec", exec],
      it.here,
    );
    assertEquals(await again.line(), "2");
    assertEquals(await again.line(), it.url);
    assertEquals(await again.line(), it.schema);
    // No process has the password among its arguments.
    assertEquals(await again.line(), "0");
    again.kill("SIGINT");
    await again.ended();
  },
);

testPostgres(
  "a copy from a file and back is the same bytes",
  async (server) => {
    await using it = await setUp(server);
    await using source = await openStore({
      path: it.file("a.db"),
      driver: "builtin",
    });
    await source.setAll(
      "many",
      Array.from({ length: 3_000 }, (_, i) => [`${i}`, { n: i }]),
    );
    await source.setAll(
      "many",
      Array.from({ length: 500 }, (_, i) => [`${i * 3}`, { again: i }]),
    );
    await source.set("ends", "later", [1, "\u{10000}\ue000"], {
      expireIn: 1e9,
    });
    await source.set('k"\\', "\n\u001b", "x".repeat(100_000));
    const lines = await linesOfStore(source);
    const entries = lines.length;
    const result = (numbers: object) =>
      JSON.stringify({
        entries,
        created: 0,
        replaced: 0,
        deleted: 0,
        unchanged: 0,
        refused: 0,
        ...numbers,
      }) + "\n";
    const copy = ["copy", "--from", "a.db"];
    assertEquals(
      await outputOfCli(copy, it.here),
      result({ created: entries }),
    );
    assertEquals(
      await outputOfCli(copy, it.here),
      result({ unchanged: entries }),
    );
    assertEquals(
      await outputOfCli(["copy", "--to", "b.db"], it.here),
      result({ created: entries }),
    );
    await using target = await openStore({
      path: it.file("b.db"),
      driver: "builtin",
    });
    assertEquals(await linesOfStore(target), lines);
    const same = await runCli(["copy", "--from", it.url], it.here);
    assertEquals([same.code, same.stderr], [
      2,
      "zestor: Cannot copy: --from and --to are the same store; give another one\n",
    ]);
  },
);

for (
  const [name, losses] of [
    ["into PostgreSQL", "target"],
    ["from PostgreSQL", "source"],
  ] as const
) {
  testPostgres(
    `a follow ${name} writes each change once, while its line is cut`,
    async (server) => {
      await withSeed(`follow ${name}`, async (random) => {
        await using it = await setUp(server);
        await using file = await openStore({
          path: it.file("a.db"),
          driver: "builtin",
          durability: "normal",
        });
        await using database = await it.open();
        const [source, target] = losses === "target"
          ? [file, database]
          : [database, file];
        const { port } = new URL(it.url);
        await using proxy = openProxy(Number(port), { random });
        const here = {
          ...it.here,
          env: { ...it.here.env, ZESTOR_DB: proxy.url(it.url) },
        };
        const end = losses === "target" ? "--from" : "--to";
        const follow = startCli(["copy", end, "a.db", "--follow"], here);
        assertMatch(await follow.line(), /^{"entries":0,/);
        const ended = follow.ended();
        let isWanted = true;
        const hasEnded = ended.then((result) => {
          if (isWanted) throw new Error(`It has ended: ${result.stderr}`);
        });
        for (let round = 0; round < 4; round++) {
          for (let i = 0; i < 50; i++) await changeAtRandom(source, random);
          proxy.cut();
          for (let i = 0; i < 50; i++) await changeAtRandom(source, random);
          await source.set("end", `${round}`, 1);
          await Promise.race([untilEnd(target, `${round}`), hasEnded]);
        }
        isWanted = false;
        follow.kill("SIGINT");
        const { code, stderr } = await ended;
        assert(!stderr.includes(PASSWORD), stderr);
        assertEquals(code, 0, stderr);
        assertEquals(
          await eventsUntil(target, 0, "3"),
          await eventsUntil(source, 0, "3"),
        );
        const lines = await linesOfStore(source, { times: false });
        assertEquals(await linesOfStore(target, { times: false }), lines);
      });
    },
  );
}
