/**
 * What docs/format.md says of a file is so in a file.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import { connect, fileAt } from "./support/connect.ts";
import { drivers, openOn } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

const [builtin] = drivers;
const page = await Deno.readTextFile(
  new URL("../docs/format.md", import.meta.url),
);

/** The names that the first column of a section's first table has as code. */
function namesIn(section: string): string[] {
  const [, rest] = page.split(`\n## ${section}\n`);
  const [table] = /^\|.*\n(?:\|.*\n)+/m.exec(rest)!;
  return table.split("\n").slice(2)
    .flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`(\w+)`/g)])
    .map(([, name]) => name);
}

/** The blocks of SQL, but the first: the table. */
function statements(): string[] {
  const [_table, ...others] = page.matchAll(/^```sql\n(.*?)^```/gms);
  return others.map(([, sql]) => sql);
}

Deno.test("docs/format.md names every column of the log, every table and every index", async () => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await (await openOn(builtin, { path })).close();
  using file = await connect(builtin, fileAt(path));
  const columns = file.prepare("SELECT name FROM pragma_table_info(?)")
    .all("zestor_changes");
  assertEquals(namesIn("The change log"), columns.map(({ name }) => name));
  const others = file.prepare(
    `SELECT name FROM sqlite_schema WHERE type IN ('table', 'index')
       AND name LIKE 'zestor%' AND name NOT IN ('zestor_kv', 'zestor_changes')
       ORDER BY name`,
  ).all();
  assertEquals(
    namesIn("The other tables").toSorted(),
    others.map(({ name }) => name),
  );
});

Deno.test("docs/format.md's statements write what a store reads and logs", async () => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openOn(builtin, { path });
  await store.set("users", "bob", "", { expireIn: 3_600_000 });
  await store.delete("users", "bob");
  const [read, write, keepExpiry, ...none] = statements();
  assertEquals(none, []);
  using file = await connect(builtin, fileAt(path));
  file.exec(write);
  const types: string[] = [];
  for await (const { type } of store.history("users", "bob")) types.push(type);
  assertEquals(types.slice(-3), ["create", "update", "delete"]);

  await store.set("users", "bob", { name: "Rob" }, { expireIn: 3_600_000 });
  file.exec(keepExpiry);
  assertEquals(file.prepare(read).all().map((row) => ({ ...row })), [
    { key: "bob", "CAST(value AS TEXT)": '{"name":"Bob"}' },
  ]);
  const entry = await store.entry("users", "bob");
  assertEquals(entry?.value, { name: "Bob" });
  assertGreater(entry!.expiresAt!.getTime(), 0);
});
