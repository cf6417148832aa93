/**
 * One file is never opened by two SQLite libraries of one process.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { openStore, StoreOpenError } from "../mod.ts";
import { drivers } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

const [builtin, ffi] = drivers;

ffi.test("`openStore()` refuses a file that the other driver has open", async () => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  for (const [first, second] of [[builtin, ffi], [ffi, builtin]]) {
    {
      await using store = await openStore({ path, driver: first.name });
      await using again = await openStore({ path, driver: first.name });
      await Deno.symlink(path, dir.file("link.db"));
      await assertRejects(
        () => openStore({ path: dir.file("link.db"), driver: second.name }),
        StoreOpenError,
        `open with the driver "${first.name}"`,
      );
      await Deno.remove(dir.file("link.db"));
      // The refusal took no lock from those who have it open.
      await Promise.all([store.set("k", "a", second.name), again.count("k")]);
    }
    await using store = await openStore({ path, driver: second.name });
    assertEquals(store.driver, second.name);
    assertEquals(await store.get("k", "a"), second.name);
  }
});
