/**
 * Checks how tests find an etcd, and what they do if they find none.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { findEtcd } from "../support/etcd/find_etcd.ts";
import { testEtcdServer } from "../support/etcd/test_etcd.ts";
import { denoRunArgs } from "../support/processes/deno_run.ts";

const only = (variables: Record<string, string>) => (name: string) =>
  variables[name];

testEtcdServer("a program can be chosen", async ({ program, version }) => {
  const found = await findEtcd(only({ ZESTOR_ETCD: program }));
  assert("version" in found);
  assertEquals(found.version, version);
  assertMatch(version, /^3\.\d+\.\d+/);
});

for (
  const [choice, reason] of [
    ["newest", /ZESTOR_ETCD=newest: give the path of the program, or 3\.7/],
    ["/nonexistent/etcd", /there is no \/nonexistent\/etcd/],
    ["/bin/sh", /Cannot run/],
  ] as const
) {
  Deno.test({
    name: `there is a reason why ZESTOR_ETCD=${choice} cannot be had`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const found = await findEtcd(only({ ZESTOR_ETCD: choice }));
      assert("reason" in found);
      assertMatch(found.reason, reason);
    },
  });
}

/** Runs `needy.ts` as on a machine without etcd. Returns its output. */
async function testWithout(required: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...denoRunArgs(
        new URL("../support/etcd/needy.ts", import.meta.url),
        ["-A"],
      ).with(0, "test"),
    ],
    env: {
      ZESTOR_ETCD: "/nonexistent/etcd",
      ZESTOR_TEST_ETCD: "",
      ZESTOR_REQUIRE_ETCD: required,
      NO_COLOR: "1",
    },
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

Deno.test("without etcd, a test is ignored and names the reason", async () => {
  const printed = await testWithout("0");
  assertMatch(printed, /ok \| 0 passed \| 0 failed \| 2 ignored/);
  assertMatch(printed, /needs an etcd: .*nonexistent/);
  assertMatch(printed, /needs the program etcd: .*nonexistent/);
});

Deno.test("without etcd, a test fails if it is required", async () => {
  const printed = await testWithout("1");
  assertMatch(printed, /FAILED \| 0 passed \| 2 failed/);
  assertMatch(printed, /needs an etcd: .*nonexistent/);
});
