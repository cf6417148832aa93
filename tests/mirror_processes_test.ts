/**
 * Mirrors across processes: whoever writes the file, a mirror is always as the
 * file was at one revision, and ends as the file is.
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import type { SortKey } from "../mod.ts";
import { deafen } from "./support/faults/deaf.ts";
import { openOn, testOnEachDriver } from "./support/drivers.ts";
import { MirrorRecord } from "./support/mirror_record.ts";
import {
  type Peer,
  startSqlPeer,
  startStorePeer,
} from "./support/processes/peer.ts";
import { readRawFile } from "./support/raw_file.ts";
import { tempDir } from "./support/temp_dir.ts";

interface Value {
  of: string;
  n: number;
}

const HISTORY = 1_000_000;
const CHANGES = 3_000;

/** Half of the values, in an order in which each new value moves its entry. */
const QUERY = {
  where: (_key: string, { n }: Value) => n % 2 === 0,
  sortBy: (_key: string, { n, of }: Value): SortKey => [n % 10, of],
  reverse: true,
};

async function done(peer: Peer): Promise<void> {
  assertEquals(await peer.next(), "done");
  await peer.exited();
}

for (const hearing of ["notified", "deaf"] as const) {
  testOnEachDriver(
    `mirrors of the writes of 3 processes always show one revision, ${hearing}`,
    async (driver) => {
      using _ = hearing === "deaf" ? deafen() : { [Symbol.dispose]() {} };
      await using dir = await tempDir();
      const path = dir.file("app.db");
      const file = { path, history: HISTORY };
      {
        await using store = await openOn<{ users: Value }>(driver, file);
        await using all = await store.mirror("users");
        await using query = await store.mirror("users", QUERY);
        const records = [
          new MirrorRecord(all),
          new MirrorRecord(query, QUERY.where),
        ];
        const args = (writer: string) => {
          const account = dir.file(`${writer}.json`);
          return { path, writer, changes: CHANGES, account };
        };
        const writer = { driver: driver.name, history: HISTORY };
        await using anna = startStorePeer("writeMuch", {
          ...args("anna"),
          ...writer,
        });
        await using bert = startStorePeer("writeMuch", {
          ...args("bert"),
          ...writer,
        });
        await using dora = startSqlPeer("writeMuchSql", args("dora"));
        const writing = Promise.all([anna, bert, dora].map(done));
        // Those that begin while others write.
        for (let n = 1; n <= 3; n++) {
          await all.reached(n * 1_000);
          const prefix = ["", "anna/", "shared/"][n - 1];
          const late = await store.mirror("users", { prefix });
          const where = (key: string) => key.startsWith(prefix);
          records.push(new MirrorRecord(late, where));
        }
        await writing;
        // Its revision is that of all that was written, and its own.
        const { revision } = await store.set("users", "end", { of: "", n: 0 });
        await all.reached(revision);
        assertEquals(new Map(all), await store.list("users"));
        await query.reached(revision);
        assertEquals(
          new Map([...query].sort()),
          await store.list("users", { where: QUERY.where }),
        );
        // The others may begin when all is written.
        for (const { length } of records.slice(0, 2)) assertGreater(length, 0);
        records[1].list.assertIs(query);
        const keys = [...query].map(([key, value]) => {
          return { key, place: QUERY.sortBy(key, value) as [number, string] };
        });
        for (let i = 1; i < keys.length; i++) {
          const [[a, x], [b, y]] = [keys[i - 1].place, keys[i].place];
          assert(
            a > b || a === b &&
                (x > y || x === y && keys[i - 1].key > keys[i].key),
          );
        }
        await store.close();
        const { changes } = readRawFile(path);
        for (const record of records) record.assertPrefixOf(changes);
      }
    },
  );

  testOnEachDriver(
    `a mirror shows each transaction of another process whole, also past the log's reach, ${hearing}`,
    async (driver) => {
      using _ = hearing === "deaf" ? deafen() : { [Symbol.dispose]() {} };
      await using dir = await tempDir();
      const path = dir.file("app.db");
      const file = { path, history: 20 };
      await using store = await openOn<{ pairs: number }>(driver, file);
      await using pairs = await store.mirror("pairs");
      let told = 0;
      pairs.addEventListener("change", () => {
        told++;
        assertEquals(pairs.get("a"), pairs.get("b"));
      });
      await using peer = startStorePeer("writePairs", {
        ...file,
        driver: driver.name,
        kind: "pairs",
      });
      assertEquals(await peer.next(), "writing");
      // A mirror that sees nothing for a while is left behind by the log.
      for (let n = 0; n < 20; n++) {
        await pairs.reached(pairs.revision + 100);
        const resume = Date.now() + 20;
        while (Date.now() < resume);
      }
      const count = await peer.ask<number>("stop");
      await peer.exited();
      const { revision } = await store.set("pairs", "c", 0);
      await pairs.reached(revision);
      assertEquals([...pairs], [["a", count], ["b", count], ["c", 0]]);
      assertGreater(told, 10);
    },
  );
}
