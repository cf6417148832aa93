/**
 * A far engine decides on what it saw last: a decision counts only if that is
 * what is there, at the write's place in the order.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { KeyNotFoundError } from "../../src/contract/errors.ts";
import { turn } from "../../src/testing/reading.ts";
import {
  atomic,
  decision,
  increment,
  KIND,
  named,
  put,
  rangeRemoval,
  removal,
  remove,
  type Result,
  set,
} from "../support/remote/operations.ts";
import {
  readLog,
  type TestClient,
  withClient,
  withTwoClients,
} from "../support/remote/open_clients.ts";

/** Runs work once, while the engine's batch is decided and not yet sent. */
function onceWhileDecided(
  { line }: TestClient,
  work: () => Promise<unknown>,
): void {
  const { request } = line;
  line.request = async (name, ask, signal) => {
    if (name === "write") {
      line.request = request;
      await work();
    }
    return await request.call(line, name, ask, signal);
  };
}

/** How each outcome ended: the revision, or what was found instead. */
async function settled(
  writing: readonly Promise<Result>[],
): Promise<unknown[]> {
  const results = await Promise.allSettled(writing);
  return results.map((result) => {
    if (result.status === "rejected") return result.reason.message;
    const { value } = result;
    return "refused" in value ? { found: value.found } : value.revision;
  });
}

Deno.test("a decision that throws on a state that a refusal keeps away is made anew", () =>
  withClient(async ({ write, get }) => {
    await write(set("n", "1"));
    const results = await settled([
      write(remove("n", 7)),
      // It sees nothing, until it is known that the removal is refused.
      write(increment("n")),
    ]);
    assertEquals(results, [{ found: { version: 1, revision: 1 } }, 2]);
    assertEquals(await get("n"), "2");
  }));

Deno.test("a decision that keeps on a state that a refusal keeps away is made anew", () =>
  withClient(async ({ write, get }) => {
    await write(set("n", "1"));
    const results = await settled([
      write(remove("n", 7)),
      write(atomic([decision("n", (value) => value ? `${value}!` : "keep")])),
    ]);
    assertEquals(results, [{ found: { version: 1, revision: 1 } }, 2]);
    assertEquals(await get("n"), "1!");
  }));

Deno.test("a decision that throws does not affect the others of its batch", () =>
  withClient(async ({ server, write, get }) => {
    const calls = server.calls;
    const results = await settled([
      write(set("a", "1")),
      write(atomic([
        put("a", "2"),
        put("b", "2"),
        decision("a", (value) => {
          throw new Error(`It saw ${value}`);
        }),
        put("c", "2"),
      ])),
      write(increment("a")),
      write(increment("none")),
    ]);
    assertEquals(results, [
      1,
      "It saw 2",
      2,
      new KeyNotFoundError(KIND, "none").message,
    ]);
    // One request to see, one to write: nothing was stale.
    assertEquals(server.calls - calls, 2);
    assertEquals(await get("a"), "2");
    assertEquals(await get("b"), undefined);
  }));

Deno.test("a failed check is reported even if a later decision throws", () =>
  withClient(async ({ write }) => {
    const results = await settled([
      write(set("n", "x")),
      write(increment("none", 3)),
    ]);
    assertEquals(results, [1, { found: undefined }]);
  }));

Deno.test("a decision that throws is made anew if another client was faster", () =>
  withTwoClients(async (a, b) => {
    onceWhileDecided(a, () => b.write(set("n", "5")));
    assertEquals(await settled([a.write(increment("n"))]), [2]);
    assertEquals(await b.get("n"), "6");
  }));

Deno.test("a stale decision ends the batch: no later write overtakes it", () =>
  withTwoClients(async (a, b) => {
    await a.write(set("n", "0"));
    onceWhileDecided(a, () => b.write(set("n", "10")));
    const results = await settled([
      a.write(set("before", "x")),
      a.write(increment("n")),
      a.write(set("n", "20")),
      a.write(increment("n")),
      a.write(set("after", "x")),
    ]);
    assertEquals(results, [3, 4, 5, 6, 7]);
    const log = await readLog(b);
    assertEquals(
      log.map(({ key, value }) => [key, new TextDecoder().decode(value)]),
      [
        ["n", "0"],
        ["n", "10"],
        ["before", "x"],
        ["n", "11"],
        ["n", "20"],
        ["n", "21"],
        ["after", "x"],
      ],
    );
  }));

Deno.test("a write that is handed back can be aborted", () =>
  withTwoClients(async (a, b) => {
    await a.write(set("n", "0"));
    const stop = new AbortController();
    onceWhileDecided(a, async () => {
      await b.write(set("n", "10"));
      stop.abort(new Error("enough"));
    });
    const results = await settled([
      a.write(set("before", "x"), stop.signal),
      a.write(increment("n"), stop.signal),
      a.write(set("after", "x")),
    ]);
    assertEquals(results, [3, "enough", 4]);
    assertEquals(await b.get("n"), "10");
  }));

Deno.test("a decision accepts an entry that was deleted and written again with the same bytes", () =>
  withTwoClients(async (a, b) => {
    await a.write(set("n", "1"));
    onceWhileDecided(a, async () => {
      await b.write(remove("n"));
      await b.write(set("n", "1"));
    });
    let asked = 0;
    const result = await a.write(
      atomic([decision("n", (value) => {
        asked++;
        return `${value}!`;
      })]),
    );
    assert("effects" in result);
    assertEquals(result.effects, [
      { status: "updated", version: 2, revision: 4 },
    ]);
    assertEquals(asked, 1);
  }));

Deno.test("decisions see the results of earlier changes and writes", () =>
  withClient(async ({ write }) => {
    const saw: (string | undefined)[] = [];
    const look = (key: string) =>
      decision(key, (value) => {
        saw.push(value);
        return "keep";
      });
    await Promise.all([
      write(
        atomic([look("a"), put("a", "1"), look("a"), removal("a"), look("a")]),
      ),
      write(atomic([put("a", "2"), look("a")])),
      write(atomic([look("a"), decision("a", (value) => `${value}2`)])),
      write(atomic([look("a")])),
    ]);
    assertEquals(saw, [undefined, "1", undefined, "2", "2", "22"]);
  }));

Deno.test("decisions see that a range was removed before them", () =>
  withClient(async ({ server, write }) => {
    await write(atomic([put("a", "1"), put("b", "1"), put("c", "1")]));
    const saw: Record<string, string | undefined> = {};
    const look = (key: string) =>
      decision(key, (value) => {
        saw[key] = value;
        return "keep";
      });
    const calls = server.calls;
    await write(atomic([
      put("d", "1"),
      rangeRemoval({
        lower: { key: "b", inclusive: true },
        upper: { key: "d", inclusive: true },
      }),
      ...["a", "b", "c", "d"].map(look),
      put("c", "2"),
      look("c"),
    ]));
    assertEquals(saw, { a: "1", b: undefined, c: "2", d: undefined });
    // Nothing was stale: one request to see, one to write.
    assertEquals(server.calls - calls, 2);
  }));

Deno.test("a decision on its write's own put is repeated if the entry has expired", () =>
  withClient(async (client) => {
    const expiresAt = Date.now() + 50;
    onceWhileDecided(client, async () => {
      while (Date.now() < expiresAt) await turn();
    });
    const saw: (string | undefined)[] = [];
    const result = await client.write(atomic([
      put("a", "1", expiresAt),
      decision("a", (value) => {
        saw.push(value);
        return "2";
      }),
    ]));
    assertEquals(saw, ["1", undefined]);
    assert("effects" in result);
    assertEquals(result.effects.map(({ status }) => status), [
      "created",
      "created",
    ]);
    assertEquals(await client.get("a"), "2");
  }));

Deno.test("a range is removed as it is at the write's place", () =>
  withTwoClients(async (a, b) => {
    await a.write(set("a", "1"));
    onceWhileDecided(a, () => b.write(set("b", "1")));
    const result = await a.write(atomic([rangeRemoval(), put("c", "1")]));
    assert("effects" in result);
    assertEquals(result.effects, [
      { status: "removed", version: 0, revision: 4, count: 2 },
      { status: "created", version: 1, revision: 5 },
    ]);
    assertEquals(await a.engine.kinds(), [KIND]);
    assertEquals(await b.get("c"), "1");
  }));

Deno.test("a decision behind a range that is removed is made anew if it saw what was written meanwhile", () =>
  withTwoClients(async (a, b) => {
    await a.write(set("a", "1"));
    onceWhileDecided(a, () => b.write(set("a", "2")));
    const asked: (string | undefined)[] = [];
    await a.write(atomic([
      decision("a", (value) => {
        asked.push(value);
        return "keep";
      }),
      rangeRemoval(),
      decision("a", (value) => `${value}`),
    ]));
    assertEquals(asked, ["1", "2"]);
    assertEquals(await b.get("a"), "undefined");
  }));

Deno.test("a decision's bytes are its own", () =>
  withClient(async ({ write, get }) => {
    await write(set("n", "abc"));
    const spoil = {
      ...named("n"),
      next: (bytes?: Uint8Array) => {
        bytes?.fill(0);
        return "keep" as const;
      },
    };
    const results = await settled([
      write(atomic([spoil, spoil])),
      write(atomic([decision("n", (value) => `${value}d`)])),
    ]);
    assertEquals(results, [1, 2]);
    assertEquals(await get("n"), "abcd");
  }));

Deno.test("effects tell status, version, time and revision of each change", () =>
  withClient(async ({ engine, write }) => {
    const origin = { version: 7, updatedAt: new Date(1_000) };
    const first = await write(atomic([
      { ...named("a"), next: { value: new Uint8Array([1]), origin } },
      put("b", "1"),
      put("b", "1"),
      decision("none", () => "keep"),
      removal("none"),
    ]));
    assertEquals(first, {
      effects: [
        { status: "created", version: 7, revision: 1 },
        { status: "created", version: 1, revision: 2 },
        { status: "unchanged", version: 1, revision: 2 },
        { status: "unchanged", version: 0, revision: 0 },
        { status: "unchanged", version: 0, revision: 0 },
      ],
      revision: 2,
    });
    const second = await write(atomic([
      decision("a", () => "remove"),
      removal("b"),
      decision("a", () => "remove"),
    ]));
    assertEquals(second, {
      effects: [
        {
          status: "removed",
          version: 7,
          revision: 3,
          removed: {
            revision: 1,
            updatedAt: new Date(1_000),
            expiresAt: undefined,
          },
        },
        { status: "removed", version: 0, revision: 4 },
        { status: "unchanged", version: 0, revision: 0 },
      ],
      revision: 4,
    });
    assertEquals(await engine.kinds(), []);
  }));

Deno.test("a change that the server refuses fails alone, and tells which", () =>
  withClient(async ({ queue, write, get }) => {
    const origin = { version: Number.MAX_SAFE_INTEGER };
    await write(
      atomic([{ ...named("last"), next: { value: new Uint8Array(), origin } }]),
    );
    const failedAt: unknown[] = [];
    const results = await settled([
      write(set("a", "1")),
      queue.write({
        ...atomic([put("a", "2"), put("last", "x"), put("b", "2")]),
        failed: (error, at) => {
          failedAt.push(at);
          return error;
        },
      }),
      write(increment("a")),
    ]);
    assertEquals(results, [
      2,
      'Cannot write "k"/"last": its version is 9007199254740991, which is the largest possible; delete the entry, then write it again',
      3,
    ]);
    assertEquals(failedAt, [1]);
    assertEquals(await get("a"), "2");
    assertEquals(await get("b"), undefined);
  }));

Deno.test("changes that throw when they are read fail alone", () =>
  withClient(async ({ queue, write }) => {
    const failing = {
      ...set("a", "1"),
      *changes() {
        yield put("a", "2");
        throw new Error("No more");
      },
    };
    const writing = queue.write(failing);
    const others = [write(set("b", "1")), write(set("c", "1"))];
    await assertRejects(() => writing, Error, "No more");
    assertEquals(await settled(others), [1, 2]);
  }));

Deno.test("the newest revision is in order with the writes around it", () =>
  withClient(async ({ queue, write }) => {
    const first = write(set("a", "1"));
    const head = queue.head();
    const second = write(set("a", "2"));
    const later = queue.head();
    await Promise.all([first, second]);
    assertEquals([await head, await later], [1, 2]);
  }));
