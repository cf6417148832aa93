/**
 * The looks at the log that watches share within a turn of the event loop.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ALL_KEYS } from "../src/keys/key_range.ts";
import { MemoryStorage } from "../src/memory/memory_storage.ts";
import { localEngine } from "./support/engines.ts";
import { KIND, set } from "./support/remote/operations.ts";

Deno.test("a watch that is behind another one finds what that one has seen", async () => {
  const storage = new MemoryStorage();
  const { engine, write } = localEngine(storage);
  const other = localEngine(storage);
  const filter = { kinds: [KIND], keys: ALL_KEYS };
  await write(set("a", "1"));
  const end = new AbortController();
  const wait = (after: number) =>
    engine.log.wait({
      after,
      persistent: false,
      // Each watch has its own signal.
      signal: AbortSignal.any([end.signal]),
    });

  // All of this is one turn of the event loop.
  let isSameTurn = true;
  setImmediate(() => isSameTurn = false);
  assertEquals((await engine.log.read(filter, 1, 10)).changes, []);
  await other.write(set("a", "2"));
  assertEquals(await engine.log.head(), 2);
  // The first watch has begun at the newest change.
  const first = wait(2);
  assertEquals(await wait(1), 1);
  const { changes, cursor } = await engine.log.read(filter, 1, 10);
  assert(isSameTurn);
  assertEquals([changes.length, cursor], [1, 2]);
  end.abort();
  await first;
});
