/**
 * Passwords of PostgreSQL URLs are never printed.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withoutPasswords } from "../../src/cli/output/passwords.ts";
import { runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

const PASSWORD = "s3:cr/e@t?x#y";

const URLS = [
  `postgres://u:${PASSWORD}@localhost:1/db`,
  `postgresql://u:${encodeURIComponent(PASSWORD)}@localhost:1/db`,
  `POSTGRES://u:s3cret@localhost:1/db`,
  `postgres://:s3cret@localhost:1/db`,
  `postgres://u@localhost:1/db?sslmode=disable&password=s3cret`,
  `postgres://u:s3cret@[::1:1/db`,
  `postgres://u:s3cret with spaces@localhost:1/db`,
  `postgres://u:${"s3cret".repeat(100)}@localhost:1/db`,
];

/** A part that all the passwords have. */
const SECRET = /s3/;

Deno.test("passwords are hidden in words and in texts, and nothing else is", () => {
  for (const url of URLS) {
    for (
      const text of [`at ${url}: no`, `"${url}"`, `x=${url}&y`, `--db=${url}`]
    ) {
      assert(!SECRET.test(withoutPasswords(text)), text);
    }
  }
  assertEquals(
    withoutPasswords("postgres://u:p@q@h:1/d, postgresql://h:2/d, x"),
    "postgres://u:***@h:1/d, postgresql://h:2/d, x",
  );
  for (const text of ["http://u:p@h", "postgres://h/d", "postgres://u@h/d"]) {
    assertEquals(withoutPasswords(text), text);
  }
});

test("no mistake and no failure prints a password", async () => {
  await using dir = await tempDir();
  const [url] = URLS;
  const lines = [
    ...URLS.flatMap((url) => [
      ["kinds", "--db", url, "--debug"],
      ["kinds", url],
      ["import", url, "--db", "app.db"],
    ]),
    [url],
    ["kinds", `--bd=${url}`],
    ["watch", "k", "--wait", "--after", url],
    ["backup", "x", "--db", url],
    ["backup", url, "--db", "app.db"],
    ["copy", "--from", url, "--to", url],
    ["completion", "bash", "zestor", "get", "k", "--db", url, ""],
  ];
  const outcomes = await Promise.all(
    lines.map(async (args) => ({
      args,
      ...await runCli(args, { cwd: dir.path, permissions: ["-A"] }),
    })),
  );
  for (const { args, stdout, stderr } of outcomes) {
    assert(!SECRET.test(stdout), `${args}: ${stdout}`);
    assert(!SECRET.test(stderr), `${args}: ${stderr}`);
  }
  const { code, stderr } = await runCli(["kinds"], {
    cwd: dir.path,
    env: { ZESTOR_DB: URLS[0], PGPASSWORD: "s3cret" },
  });
  assertMatch(stderr, /^zestor: Cannot open store.*\n$/);
  assert(!SECRET.test(stderr), stderr);
  assert(code !== 0);
});

Deno.test("for a file nothing of PostgreSQL is loaded", () => {
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const code = Deno.readTextFileSync(file).replaceAll(/^ *\*.*$/gm, "");
    for (const [, specifier] of code.matchAll(/from\s*"(\.[^"]+\.ts)"/g)) {
      visit(join(dirname(file), specifier));
    }
  };
  visit(fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url)));
  assert(seen.size > 100);
  const found = [...seen].filter((file) => /[\\/]src[\\/]postgres/.test(file));
  assertEquals(found, []);
});
