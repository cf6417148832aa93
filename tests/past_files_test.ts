/**
 * Snapshots and histories of a file that others write, too: other stores, plain
 * SQL, and those who compact the file or damage its log.
 *
 * @module
 */
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { RevisionUnavailableError, type SqliteStore } from "../mod.ts";
import { everythingOf } from "../src/testing/reads_of.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { startSqlPeer } from "./support/processes/peer.ts";
import { tempDir } from "./support/temp_dir.ts";

const KINDS = ["k", "l", "later"];
const KEYS = ["a", "b", "c", "d"];

async function fill(store: SqliteStore): Promise<number> {
  await store.setAll("k", { a: 1, b: 2, c: 3 });
  await store.set("l", "a", 1);
  return (await store.set("k", "b", "again")).revision;
}

testOnEachDriver(
  "a snapshot is unaffected by other writers of the file",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await using other = await openOn(driver, { path });
    const revision = await fill(store);
    const before = await everythingOf(store, KINDS, KEYS);
    await using snapshot = await store.snapshot();
    assertEquals(snapshot.revision, revision);
    const isAsBefore = async (what: string) => {
      assertEquals(await everythingOf(snapshot, KINDS, KEYS), before, what);
      await using past = await other.snapshot({ at: revision });
      assertEquals(await everythingOf(past, KINDS, KEYS), before, what);
    };

    await other.set("k", "a", "changed");
    await other.delete("k", "b");
    await other.set("later", "a", 1);
    await isAsBefore("another store");

    await using sql = startSqlPeer("runSql", { path });
    assertEquals(await sql.next(), "ready");
    await sql.ask(`UPDATE zestor_kv SET value = '"sql"' WHERE key = 'c'`);
    await sql.ask(
      "INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'd', '1')",
    );
    await sql.ask("DELETE FROM zestor_kv WHERE kind = 'l'");
    await isAsBefore("another process");

    await sql.ask("UPDATE zestor_kv SET key = 'moved' WHERE key = 'c'");
    await sql.ask(
      "INSERT OR REPLACE INTO zestor_kv (kind, key, value) VALUES ('k', 'a', '2')",
    );
    await isAsBefore("an entry that was given another key, or replaced");
    await sql.hangUp();
    await sql.exited();

    await store.compact();
    await isAsBefore("a file that was compacted");
    const told = await Array.fromAsync(other.history("l"));
    assertEquals(told.map(({ type, value }) => [type, value]), [
      ["create", 1],
      ["delete", 1],
    ]);
  },
);

testOnEachDriver(
  "a snapshot that another store's log has left behind is refused",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    await fill(store);
    await using snapshot = await store.snapshot();
    const reader = store.history("k").getReader();
    await using other = await openOn(driver, { path, history: 10 });
    for (let n = 0; n < 200; n++) await other.set("busy", "a", n);
    for (
      const read of [
        () => snapshot.get("k", "a"),
        () => snapshot.keys("k"),
        () => snapshot.kinds(),
        () => Array.fromAsync(snapshot.entries("k")),
      ]
    ) {
      const error = await assertRejects(read, RevisionUnavailableError);
      assertEquals(error.reason, "pruned");
    }
    await reader.cancel();
  },
);

testOnEachDriver(
  "the past of a log that others broke is refused, never made up",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    const revision = await fill(store);
    await using snapshot = await store.snapshot();
    await using sql = startSqlPeer("runSql", { path });
    assertEquals(await sql.next(), "ready");
    await sql.ask("DROP TRIGGER zestor_update");
    await sql.ask("UPDATE zestor_kv SET value = '9' WHERE key = 'a'");
    const reads = [
      () => snapshot.get("k", "a"),
      () => snapshot.list("k"),
      () => store.snapshot({ at: revision }),
      () => Array.fromAsync(store.history("k", "a", { after: revision })),
    ];
    for (const read of reads) {
      const error = await read().then((found) => found, (error) => error);
      assertInstanceOf(error, RevisionUnavailableError, `${error}`);
    }
    // The log begins anew with the next write, and not before.
    const later = await store.set("k", "a", 10);
    await store.set("k", "a", 11);
    for (const read of reads) {
      await assertRejects(() => read(), RevisionUnavailableError);
    }
    await using past = await store.snapshot({ at: later.revision });
    assertEquals(await past.get("k", "a"), 10);
  },
);
