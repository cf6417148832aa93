/**
 * A far engine whose line is cut: what was acknowledged was done, once, and in
 * order.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { KeyNotFoundError } from "../../src/contract/errors.ts";
import type { View } from "../../src/engine/view.ts";
import type { KeyRange } from "../../src/keys/key_range.ts";
import { type Cut, CUTS } from "../support/remote/line.ts";
import {
  atomic,
  increment,
  KIND,
  put,
  rangeRemoval,
  remove,
  type Result,
  set,
} from "../support/remote/operations.ts";
import {
  readLog,
  withClient,
  withTwoClients,
} from "../support/remote/open_clients.ts";
import { Random, withSeed } from "../support/random.ts";

/** Each cut, and each two in a row. */
const CUT_RUNS: readonly Cut[][] = [
  ...CUTS.map((cut) => [cut]),
  ...CUTS.flatMap((first) => CUTS.map((second) => [first, second])),
];

for (const cuts of CUT_RUNS) {
  Deno.test(`a batch is done once if it is cut ${cuts.join(", then ")}`, () =>
    withClient(async (client) => {
      const { line, write, get } = client;
      await write(set("n", "0"));
      // The read before the decisions gets through.
      line.cutNext(undefined, ...cuts);
      const results = await Promise.all([
        write(increment("n")),
        write(increment("n")),
        write(set("other", "x", 0)),
      ]);
      assertEquals(results.map(revisionOf), [2, 3, 4]);
      assertEquals(await get("n"), "2");
      // Later writes are not undone, nor done before, by one that comes late.
      await write(increment("n"));
      assertEquals(await get("n"), "3");
      const log = await readLog(client);
      assertEquals(log.map(({ key, version }) => [key, version]), [
        ["n", 1],
        ["n", 2],
        ["n", 3],
        ["other", 1],
        ["n", 4],
      ]);
    }));
}

for (const cut of CUTS) {
  Deno.test(`the reads for decisions are retried if they are cut ${cut}`, () =>
    withClient(async ({ line, write, get }) => {
      await write(set("n", "0"));
      line.cutNext(cut);
      await write(increment("n"));
      assertEquals(await get("n"), "1");
    }));

  Deno.test(`each read is repeated if it is cut ${cut}`, () =>
    withClient(async ({ engine, line, write }) => {
      await write(set("a", "1"));
      const all = { lower: { key: "", inclusive: true } };
      const past = await engine.openPast(1);
      const reads: (() => unknown)[] = [
        ...readsOf(engine, all),
        () => engine.log.head(),
        () => engine.log.oldest(),
        () => engine.log.markOf(1),
        () => engine.log.read({ keys: all }, 0, 10),
        () => engine.log.readBack({ keys: all }, 2, 0, 10),
        async () => (await engine.openPast(1)).revision,
        () => engine.together((view) => view.value(KIND, "a")),
        ...readsOf(past, all),
      ];
      for (const read of reads) {
        const expected = await read();
        line.cutNext(cut);
        assertEquals(await read(), expected);
      }
    }));
}

/** Each read of a view. */
function readsOf(view: View, range: KeyRange): (() => unknown)[] {
  return [
    () => view.value(KIND, "a"),
    () => view.entry(KIND, "a"),
    () => view.state(KIND, "a"),
    () => view.some(KIND, ["a", "b"]),
    () => view.keys(KIND, range),
    () => view.values(KIND, range),
    () => view.entries(KIND, range),
    () => view.count(KIND, range),
    () => view.kinds(),
  ];
}

for (const cuts of CUT_RUNS) {
  Deno.test(`a range is removed once if it is cut ${cuts.join(", then ")}`, () =>
    withTwoClients(async (a, b) => {
      await a.write(atomic([put("a", "1"), put("b", "1"), put("c", "1")]));
      const range = { lower: { key: "b", inclusive: true } };
      a.line.cutNext(...cuts);
      const removing = a.write(atomic([rangeRemoval(range)]));
      // Of the entries that come after it nothing is removed, also if the
      // request arrives again, or late.
      const after = a.write(set("b", "2"));
      assertEquals(await removing, {
        effects: [{ status: "removed", version: 0, revision: 5, count: 2 }],
        revision: 5,
      });
      await after;
      await b.write(set("c", "2"));
      await a.write(set("d", "2"));
      assertEquals((await a.engine.keys(KIND, range)).items, ["b", "c", "d"]);
      assertEquals(
        (await readLog(b)).map(({ type, key }) => `${type} ${key}`),
        [
          ...["create a", "create b", "create c", "delete b", "delete c"],
          ...["create b", "create c", "create d"],
        ],
      );
    }));
}

Deno.test("two clients on bad lines count to 3000 on one key", () =>
  withSeed("two counters", (random) =>
    withTwoClients(async (a, b) => {
      await a.write(set("n", "0"));
      const clients = [a, b];
      const counts = await Promise.all(clients.map(async ({ write }, c) => {
        const own = new Random(`${random.seed} ${c}`);
        let done = 0;
        for (let calls = 0; calls < 1_500;) {
          const settled: Promise<unknown>[] = [];
          for (let i = own.between(1, 60); i > 0 && calls < 1_500; i--) {
            const sort = own.below(10);
            // Between those that count: what is refused, and what throws.
            if (sort === 0) {
              settled.push(expectRefusal(write(set("n", "x", 1_000_000))));
            }
            if (sort === 1) {
              settled.push(
                assertRejects(() => write(increment("none")), KeyNotFoundError),
              );
            }
            if (sort === 2) settled.push(expectRefusal(write(remove("n", 0))));
            settled.push(write(increment("n")).then(() => done++));
            calls++;
          }
          await Promise.all(settled);
        }
        return done;
      }));
      assertEquals(counts, [1_500, 1_500]);
      assertEquals(await a.get("n"), "3000");
      const log = await readLog(b);
      assertEquals(
        log.map(({ revision, key, version }) => [revision, key, version]),
        Array.from({ length: 3_001 }, (_, i) => [i + 1, "n", i + 1]),
      );
      assertEquals(
        log.map(({ value }) => Number(new TextDecoder().decode(value))),
        Array.from({ length: 3_001 }, (_, i) => i),
      );
    }, { cuts: 0.2, random })));

async function expectRefusal(writing: Promise<Result>): Promise<void> {
  const result = await writing;
  assert("refused" in result, "It was not refused");
}

function revisionOf(result: Result): number {
  assert("revision" in result, "It was refused");
  return result.revision;
}

Deno.test("one client reads the acknowledged writes of another", () =>
  withTwoClients(async (a, b) => {
    for (let n = 0; n < 100; n++) {
      const [writer, reader] = n % 2 === 0 ? [a, b] : [b, a];
      await writer.write(set(`k${n}`, String(n)));
      assertEquals(await reader.get(`k${n}`), String(n));
    }
    assertEquals((await readLog(a)).length, 100);
  }, { cuts: 0.2, random: new Random("acknowledged") }));
