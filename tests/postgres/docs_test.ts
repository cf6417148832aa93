/**
 * docs/postgres.md: its code and its SQL are run, as an owner would run them.
 *
 * @module
 */
import {
  assertEquals,
  assertGreater,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { StoreReadOnlyError } from "../../mod.ts";
import { openPostgresStore } from "../../src/postgres/open_postgres_store.ts";
import { queryAt } from "../support/postgres/query.ts";
import { startServer } from "../support/postgres/server.ts";
import { testServer } from "../support/postgres/test_server.ts";
import { denoRun } from "../support/processes/deno_run.ts";
import { tempDir } from "../support/temp_dir.ts";

const text = await Deno.readTextFile(
  new URL("../../docs/postgres.md", import.meta.url),
);

function blocks(language: string): string[] {
  const fence = new RegExp("^```" + language + "\\n(.*?)^```", "gms");
  return Array.from(text.matchAll(fence), ([, code]) => code);
}

function variablesOf(url: string): Record<string, string> {
  const { hostname, port, username, pathname } = new URL(url);
  return {
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: username,
    PGDATABASE: pathname.slice(1),
  };
}

/** The variables that the document lets a program read. */
function permitted(): string[] {
  const [, list] = /--allow-env=([\w,]+)/.exec(text)!;
  return list.split(",");
}

testServer(
  "docs/postgres.md: the code runs, with the permissions that it names",
  async (binaries) => {
    await using server = await startServer({ binaries });
    await using dir = await tempDir();
    const env = variablesOf(server.url);
    const codes = blocks("ts");
    assertGreater(codes.length, 0);
    for (const [i, code] of codes.entries()) {
      const file = dir.file(`block_${i}.ts`);
      await Deno.writeTextFile(file, code);
      const { success, stdout, stderr } = await denoRun(file, {
        flags: [
          "--no-prompt",
          `--allow-net=${env.PGHOST}:${env.PGPORT}`,
          `--allow-env=${[...permitted(), ...Object.keys(env)]}`,
        ],
        env,
        stdout: "piped",
        stderr: "piped",
      }).output();
      assertEquals(new TextDecoder().decode(stderr), "");
      assertEquals(success, true);
      assertEquals(new TextDecoder().decode(stdout), "create alice Alice\n");
    }
  },
);

testServer(
  "docs/postgres.md: the roles may do what it says, and no more",
  async (binaries) => {
    await using server = await startServer({ binaries });
    const as = (role: string) => {
      const url = new URL(server.url);
      url.username = role;
      return url.href;
    };
    await (await openPostgresStore({ url: server.url })).close();
    const [grants, insert] = blocks("sql");
    await server.query(grants);

    {
      await using store = await openPostgresStore<{ users: { name: string } }>({
        url: as("app"),
      });
      assertEquals((await store.info()).readOnly, undefined);
      await store.set("users", "alice", { name: "Alice" });
      const rename = (user: { name: string }) => ({ name: `${user.name}!` });
      await Promise.all([
        store.update("users", "alice", rename),
        store.update("users", "alice", rename),
      ]);
      await store.delete("users", "alice");
      await store.set("users", "carol", { name: "Carol" });
    }
    await queryAt(as("loader"), insert);
    await assertRejects(
      () => queryAt(as("loader"), "SELECT * FROM zestor.zestor_changes"),
      Error,
      "permission denied",
    );
    await using store = await openPostgresStore<{ users: { name: string } }>({
      url: as("viewer"),
    });
    assertEquals(await store.keys("users"), ["bob", "carol"]);
    const [last] = await Array.fromAsync(store.history("users", "bob"));
    assertEquals(last.type, "create");
    await assertRejects(
      () => store.set("users", "dave", { name: "Dave" }),
      StoreReadOnlyError,
    );
    for (const role of ["app", "loader", "viewer"]) {
      await assertRejects(
        () => queryAt(as(role), "DELETE FROM zestor.zestor_entries"),
        Error,
        "permission denied",
      );
    }
  },
);

Deno.test("docs/postgres.md lists every option of its own", async () => {
  const file = new URL(
    "../../src/postgres/postgres_options.ts",
    import.meta.url,
  );
  const source = await Deno.readTextFile(file);
  const options = Array.from(
    source.matchAll(/^ {2}(\w+)\?:/gm),
    ([, name]) => name,
  );
  assertGreater(options.length, 5);
  for (const name of options) {
    assertStringIncludes(text, `| \`${name}\``);
  }
});
