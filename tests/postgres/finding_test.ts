/**
 * How tests find a PostgreSQL, and what they do without.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  findBinaries,
  findPostgres,
} from "../support/postgres/find_postgres.ts";
import { testsThatNeed } from "../support/postgres/needs.ts";
import { NEWEST } from "../support/postgres/npm_binaries.ts";
import { startServer } from "../support/postgres/server.ts";
import { denoRunArgs } from "../support/processes/deno_run.ts";
import { testServer } from "../support/postgres/test_server.ts";

const only = (variables: Record<string, string>) => (name: string) =>
  variables[name];

Deno.test("POSTGRES_URL comes before everything else", async () => {
  const url = "postgres://somebody@example.invalid/x";
  const found = await findPostgres(
    only({ POSTGRES_URL: url, ZESTOR_POSTGRES: "18" }),
  );
  assertEquals(found, { url });
});

testServer("a version and a folder can be chosen", async (binaries) => {
  const { bin, version } = binaries;
  for (const choice of [bin, `${bin}/`, String(version)]) {
    const found = await findBinaries(only({ ZESTOR_POSTGRES: choice }));
    assert("version" in found, choice);
    assertEquals(found.version, version);
  }
});

for (
  const [choice, reason] of [
    ["newest", /ZESTOR_POSTGRES=newest: give a major version/],
    ["9", /PostgreSQL 9 .* 15, 16, 17, 18/],
    ["/nonexistent", /nonexistent has no initdb/],
  ] as const
) {
  Deno.test({
    name: `there is a reason why ZESTOR_POSTGRES=${choice} cannot be had`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const found = await findBinaries(only({ ZESTOR_POSTGRES: choice }));
      assert("reason" in found);
      assertMatch(found.reason, reason);
    },
  });
}

const testNewest = testsThatNeed(
  `PostgreSQL ${NEWEST}`,
  await findBinaries(only({ ZESTOR_POSTGRES: String(NEWEST) })),
);

testNewest("the newest version runs", async (binaries) => {
  await using server = await startServer({ binaries });
  const [row] = await server.query<{ server_version: string }>(
    "SHOW server_version",
  );
  assertEquals(parseInt(row.server_version), NEWEST);
  assertEquals(server.version, NEWEST);
});

/** Runs `needy.ts` on a machine without PostgreSQL, and gives what is printed. */
async function testWithout(required: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...denoRunArgs(
        new URL("../support/postgres/needy.ts", import.meta.url),
        ["-A"],
      ).with(0, "test"),
    ],
    env: {
      ZESTOR_POSTGRES: "/nonexistent",
      ZESTOR_REQUIRE_POSTGRES: required,
      NO_COLOR: "1",
    },
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

Deno.test("without PostgreSQL, a test is ignored and names the reason", async () => {
  const printed = await testWithout("0");
  assertMatch(printed, /ok \| 0 passed \| 0 failed \| 1 ignored/);
  assertMatch(printed, /needs the programs of PostgreSQL: .*nonexistent/);
});

Deno.test("without PostgreSQL, a test fails if it is required", async () => {
  const printed = await testWithout("1");
  assertMatch(printed, /FAILED \| 0 passed \| 1 failed/);
  assertMatch(printed, /needs the programs of PostgreSQL: .*nonexistent/);
});
