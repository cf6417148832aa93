/**
 * Notifications of writes to a write-ahead log.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { DatabaseLocation } from "../src/sqlite/driver/driver.ts";
import { atRealPath } from "../src/sqlite/file/real_path.ts";
import { notifierOf } from "../src/sqlite/wal_notifier.ts";
import { runChild } from "./support/processes/child.ts";
import { connect, fileAt } from "./support/connect.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

type Told = "write" | "end";

/** A notifier whose notifications a test awaits. */
class Notifications implements Disposable {
  readonly told: Told[] = [];
  #toldOne = Promise.withResolvers<void>();
  readonly #notifier: Disposable;

  constructor(location: DatabaseLocation) {
    const tell = (what: Told) => () => {
      this.told.push(what);
      this.#toldOne.resolve();
      this.#toldOne = Promise.withResolvers();
    };
    const notifier = notifierOf(location)({
      onWrite: tell("write"),
      onEnd: tell("end"),
    });
    assert(notifier, "there are no notifications");
    this.#notifier = notifier;
  }

  /** Waits until it has told this, since the last call. */
  async until(what: Told): Promise<void> {
    while (!this.told.includes(what)) await this.#toldOne.promise;
    this.told.length = 0;
  }

  [Symbol.dispose](): void {
    this.#notifier[Symbol.dispose]();
  }
}

const listener = { onWrite() {}, onEnd() {} };
const TABLE = "PRAGMA journal_mode = WAL; CREATE TABLE t (x)";
const INSERT = "INSERT INTO t VALUES (1)";

testOnEachDriver("each commit is notified", async (driver) => {
  await using dir = await tempDir();
  const location = fileAt(dir.file("app.db"));
  using db = await connect(driver, location);
  db.exec(TABLE);
  using notifications = new Notifications(location);
  for (let i = 0; i < 3; i++) {
    db.exec(INSERT);
    await notifications.until("write");
  }
});

testOnEachDriver(
  "a commit to a database behind a link is notified",
  async (driver) => {
    await using dir = await tempDir();
    await using elsewhere = await tempDir();
    const link = dir.file("link.db");
    await Deno.writeFile(elsewhere.file("app.db"), new Uint8Array());
    await Deno.symlink(elsewhere.file("app.db"), link);
    using db = await connect(driver, fileAt(link));
    db.exec(TABLE);
    using notifications = new Notifications(atRealPath(fileAt(link)));
    db.exec(INSERT);
    await notifications.until("write");
  },
);

testOnEachDriver("reads are not notified", async (driver) => {
  await using dir = await tempDir();
  const location = fileAt(dir.file("app.db"));
  using db = await connect(driver, location);
  db.exec(TABLE);
  using last = await connect(driver, fileAt(dir.file("last.db")));
  last.exec(TABLE);

  using notifications = new Notifications(location);
  using notificationsOfLast = new Notifications(fileAt(dir.file("last.db")));
  db.prepare("SELECT * FROM t").all();
  // Notifications come in order: what was before this one has come.
  last.exec(INSERT);
  await notificationsOfLast.until("write");
  assertEquals(notifications.told, []);
});

testOnEachDriver(
  "the end of the write-ahead log is notified",
  async (driver) => {
    await using dir = await tempDir();
    const location = fileAt(dir.file("app.db"));
    using db = await connect(driver, location);
    db.exec(TABLE);
    using notifications = new Notifications(location);
    db.exec("PRAGMA journal_mode = DELETE");
    await notifications.until("end");
  },
);

Deno.test("nothing is notified after the notifier is closed", async () => {
  await using dir = await tempDir();
  const location = fileAt(dir.file("app.db"));
  await Deno.writeTextFile(location.path, "");
  await Deno.writeTextFile(`${location.path}-wal`, "");
  using open = new Notifications(location);
  const closed = new Notifications(location);
  closed[Symbol.dispose]();
  closed[Symbol.dispose]();
  await Deno.writeTextFile(`${location.path}-wal`, "some");
  await open.until("write");
  assertEquals(closed.told, []);
});

Deno.test("there are no notifications without a write-ahead log", async () => {
  assertEquals(notifierOf(fileAt("/no/such/file.db"))(listener), undefined);
  await using dir = await tempDir();
  const location = fileAt(dir.file("app.db"));
  await Deno.writeTextFile(location.path, "");
  assertEquals(notifierOf(location)(listener), undefined);
});

Deno.test("a database in memory is watched for others only if it is shared", () => {
  const open = (memory: "private" | "shared") =>
    notifierOf({ path: "x", mode: "rwc", memory })(listener);
  const watched = open("private");
  assert(watched);
  watched[Symbol.dispose]();
  assertEquals(open("shared"), undefined);
});

Deno.test("no permission is asked for", async () => {
  await using dir = await tempDir();
  const notifier = new URL("../src/sqlite/wal_notifier.ts", import.meta.url);
  const file = await Deno.realPath(dir.path) + "/app.db";
  await Deno.writeTextFile(file, "");
  await Deno.writeTextFile(`${file}-wal`, "");
  const program = `
    import { notifierOf } from "${notifier}";
    let asked = 0;
    Deno.watchFs = () => { asked++; };
    const listener = { onWrite() {}, onEnd() {} };
    const open = notifierOf({ path: ${JSON.stringify(file)}, mode: "rwc" });
    console.log(open(listener), asked);
  `;
  for (const permissions of [[], [`--allow-read=${file}`]]) {
    const { code, stdout, stderr } = await runChild(dir.path, program, {
      permissions,
    });
    assertEquals({ code, stdout, stderr }, {
      code: 0,
      stdout: "undefined 0",
      stderr: "",
    });
  }
});

testOnEachDriver(
  "a store that is watched keeps the locks that SQLite holds",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await using store = await openOn(driver, { path });
    const changes = store.watch("k").getReader();
    const next = changes.read();
    // Another process touches each of the files, and goes.
    const touch = `
      const db = new DatabaseSync("app.db");
      db.exec("INSERT INTO zestor_kv (kind, key, value) VALUES ('k', 'a', '1')");
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      db.close();
    `;
    await runSql(dir.path, touch);
    assertEquals((await next).value?.key, "a");
    await store.set("k", "b", 1);
    await changes.read();
    // To leave the mode takes that nobody else has the database open.
    const leave = `
      const db = new DatabaseSync("app.db");
      try {
        console.log(db.prepare("PRAGMA journal_mode = DELETE").get());
      } catch (error) {
        console.log(error.message);
      }
    `;
    assertEquals(await runSql(dir.path, leave), "database is locked");
    await changes.cancel();
  },
);

async function runSql(dir: string, program: string): Promise<string> {
  const imports = `import { DatabaseSync } from "node:sqlite";\n`;
  const { code, stdout, stderr } = await runChild(dir, imports + program, {
    permissions: ["--allow-read=.", "--allow-write=."],
  });
  assertEquals(stderr, "");
  assertEquals(code, 0);
  return stdout;
}
