/**
 * The Go store's statements, through its own driver, which is SQLite in pure Go:
 * on a file of the current format, while a store has it open. Ignored if Go or
 * the module cannot be had.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openStore } from "../mod.ts";
import { connect, fileAt } from "./support/connect.ts";
import { drivers } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

const SOURCE = new URL("./support/go/", import.meta.url);

/** How long each step may take, in ms. The first build of the module takes minutes on a slow machine. */
const LONGEST_DOWNLOAD = 60_000;
const LONGEST_BUILD = 600_000;

/** Runs Go in the program's directory. Throws what it printed if it fails. */
async function go(timeout: number, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("go", {
    args,
    cwd: SOURCE,
    env: { GOTOOLCHAIN: "local" },
    signal: AbortSignal.timeout(timeout),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(`go ${args[0]}: ${new TextDecoder().decode(stderr).trim()}`);
}

async function whyGoIsUnavailable(): Promise<string | undefined> {
  try {
    await go(LONGEST_DOWNLOAD, "mod", "download");
  } catch (error) {
    return (error as Error).message;
  }
}

const unavailable = await whyGoIsUnavailable();
if (unavailable) {
  console.warn(`The Go store's tests are ignored: ${unavailable}`);
}

Deno.test({
  name: "the Go store writes to a file that a store has open",
  ignore: unavailable !== undefined,
  timeout: LONGEST_BUILD,
  async fn() {
    await using dir = await tempDir();
    const program = dir.file("gostore");
    await go(LONGEST_BUILD, "build", "-o", program, ".");
    const path = dir.file("app.db");
    const write = async (...args: string[]) => {
      const { success, stderr } = await new Deno.Command(program, {
        args: [path, ...args],
        stdout: "null",
        stderr: "piped",
      }).output();
      assert(success, new TextDecoder().decode(stderr));
    };
    // It makes the file, and the store brings it to the format.
    await write("set", "a", "1", "set", "b", "1", "set", "c", "1");
    const [{ name }] = drivers;
    await using store = await openStore({ path, driver: name });
    using db = await connect(drivers[0], fileAt(path));
    db.exec("UPDATE zestor_kv SET expires_at = 4000000000000");
    await write(
      ...["set", "a", "2"],
      ...["set", "a", "2"],
      ...["many", "b", "2"],
      ...["many", "d", "1"],
      ...["delete", "c"],
      ...["set", "c", "2"],
      ...["delete", "d"],
    );
    const changes = () =>
      db.prepare(
        `SELECT type, key, version, expires_at FROM zestor_changes
        ORDER BY revision`,
      ).all().map((row) => Object.values(row).join(" "));
    assertEquals(changes().slice(3), [
      "update a 3 ",
      "update b 3 ",
      "create d 1 ",
      "delete c 2 ",
      "create c 1 ",
      "delete d 1 ",
    ]);
    assertEquals(
      [...await store.list("k")],
      [["a", 2], ["b", 2], ["c", 2]],
    );
    const log = db.prepare(
      `SELECT revision, mark IS NULL AS unmarked, time IS NULL AS untimed
      FROM zestor_changes`,
    ).all();
    assertEquals(log.filter((row) => row.unmarked || row.untimed), []);
    assertEquals(await store.verify(), []);
    // While nobody removes what has expired.
    await store.close();
    db.exec("UPDATE zestor_kv SET expires_at = 1");
    await write("set", "a", "3", "delete", "b");
    assertEquals(changes().slice(-2), ["update a 5 ", "expire b 4 "]);
  },
});
