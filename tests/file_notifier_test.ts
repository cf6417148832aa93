/**
 * Notifications of writes to a database's files.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Location } from "../src/sqlite/driver/driver.ts";
import { notifierOf } from "../src/sqlite/file_notifier.ts";
import { runChild } from "./support/child.ts";
import { connect, fileAt } from "./support/connect.ts";
import { testOnEachDriver } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

type Told = "frames" | "journal" | "end";

/** A notifier whose notifications a test awaits. */
class Notifications implements Disposable {
  readonly told: Told[] = [];
  #toldOne = Promise.withResolvers<void>();
  readonly #notifier: Disposable;

  constructor(location: Location) {
    const tell = (what: Told) => () => {
      this.told.push(what);
      this.#toldOne.resolve();
      this.#toldOne = Promise.withResolvers();
    };
    const notifier = notifierOf(location)({
      onFrames: tell("frames"),
      onJournal: tell("journal"),
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

const TABLE = "CREATE TABLE t (x)";
const INSERT = "INSERT INTO t VALUES (1)";

testOnEachDriver("a commit to the write-ahead log is told", async (driver) => {
  await using dir = await tempDir();
  const location = fileAt(dir.file("app.db"));
  using db = await connect(driver, location);
  db.exec(`PRAGMA journal_mode = WAL; ${TABLE}`);
  using notifications = new Notifications(location);
  for (let i = 0; i < 3; i++) {
    db.exec(INSERT);
    await notifications.until("frames");
  }
});

testOnEachDriver("a commit with a rollback journal is told", async (driver) => {
  for (const mode of ["DELETE", "TRUNCATE", "PERSIST"]) {
    await using dir = await tempDir();
    const location = fileAt(dir.file("app.db"));
    using db = await connect(driver, location);
    db.exec(`PRAGMA journal_mode = ${mode}; ${TABLE}`);
    using notifications = new Notifications(location);
    for (let i = 0; i < 3; i++) {
      db.exec(INSERT);
      await notifications.until("journal");
    }
  }
});

testOnEachDriver("a write-ahead log that was gone is told", async (driver) => {
  await using dir = await tempDir();
  const location = fileAt(dir.file("app.db"));
  {
    using db = await connect(driver, location);
    db.exec(`PRAGMA journal_mode = WAL; ${TABLE}`);
  }
  using notifications = new Notifications(location);
  using db = await connect(driver, location);
  db.exec(INSERT);
  await notifications.until("frames");
});

testOnEachDriver("a database behind a link is told", async (driver) => {
  await using dir = await tempDir();
  await using elsewhere = await tempDir();
  const link = dir.file("link.db");
  await Deno.writeFile(elsewhere.file("app.db"), new Uint8Array());
  await Deno.symlink(elsewhere.file("app.db"), link);
  using db = await connect(driver, fileAt(link));
  db.exec(`PRAGMA journal_mode = WAL; ${TABLE}`);
  using notifications = new Notifications(fileAt(link));
  db.exec(INSERT);
  await notifications.until("frames");
});

testOnEachDriver("other files, and reading, tell nothing", async (driver) => {
  await using dir = await tempDir();
  const location = fileAt(dir.file("app.db"));
  using db = await connect(driver, location);
  db.exec(`PRAGMA journal_mode = WAL; ${TABLE}`);
  using other = await connect(driver, fileAt(dir.file("app.db2")));
  other.exec(`PRAGMA journal_mode = WAL; ${TABLE}`);
  using last = await connect(driver, fileAt(dir.file("last.db")));
  last.exec(TABLE);

  using notifications = new Notifications(location);
  using notificationsOfLast = new Notifications(fileAt(dir.file("last.db")));
  other.exec(INSERT);
  await Deno.writeTextFile(dir.file("app.db-wal.txt"), "not this");
  db.prepare("SELECT * FROM t").all();
  // Notifications come in order: what was before this one has come.
  last.exec(INSERT);
  await notificationsOfLast.until("journal");
  assertEquals(notifications.told, []);
});

Deno.test("a notifier tells nothing more when it is closed", async () => {
  await using dir = await tempDir();
  const location = fileAt(dir.file("app.db"));
  await Deno.writeTextFile(location.path, "");
  using open = new Notifications(location);
  const closed = new Notifications(location);
  closed[Symbol.dispose]();
  await Deno.writeTextFile(location.path, "some");
  await open.until("journal");
  assertEquals(closed.told, []);
});

Deno.test("there are no notifications of what is not there", () => {
  const listener = { onFrames() {}, onJournal() {}, onEnd() {} };
  assertEquals(notifierOf(fileAt("/no/such/file.db"))(listener), undefined);
});

Deno.test("a database in memory is watched for others only if it is shared", () => {
  const listener = { onFrames() {}, onJournal() {}, onEnd() {} };
  const open = (memory: "private" | "shared") =>
    notifierOf({ path: "x", mode: "rwc", memory })(listener);
  const watched = open("private");
  assert(watched);
  watched[Symbol.dispose]();
  assertEquals(open("shared"), undefined);
});

Deno.test("no permission is asked for", async () => {
  await using dir = await tempDir();
  const notifier = new URL("../src/sqlite/file_notifier.ts", import.meta.url);
  const program = `
    import { notifierOf } from "${notifier}";
    let asked = 0;
    Deno.watchFs = () => { asked++; };
    const listener = { onFrames() {}, onJournal() {}, onEnd() {} };
    const open = notifierOf({ path: Deno.args[0] ?? "app.db", mode: "rwc" });
    console.log(open(listener), asked);
  `;
  const file = await Deno.realPath(dir.path) + "/app.db";
  await Deno.writeTextFile(file, "");
  for (
    const permissions of [
      [],
      // The file, but not the directory: its other files are not its business.
      [`--allow-read=${file}`],
    ]
  ) {
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
