/**
 * Expiry on a server: it removes what has expired by its own clock, tells its
 * clients, and is exact although requests are cut, late or sent again.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ALL_KEYS } from "../../src/keys/key_range.ts";
import { CUTS } from "../support/remote/line.ts";
import { ending, timeOf, withTime } from "../support/remote/frozen_client.ts";
import {
  openClient,
  readLog,
  type TestClient,
  withTwoClients,
} from "../support/remote/open_clients.ts";
import {
  atomic,
  decision,
  KIND,
  put,
  rangeRemoval,
  set,
} from "../support/remote/operations.ts";
import { Random, withSeed } from "../support/random.ts";

/** Each change, as text. */
async function logOf(client: TestClient): Promise<string[]> {
  return (await readLog(client)).map(({ type, isExpiry, key, version }) =>
    `${isExpiry ? "expire" : type} ${key} ${version}`
  );
}

const SWEEP = { sweepInterval: 60_000 };

Deno.test(
  "every client hears that an entry expired, when it does, and once",
  withTime(SWEEP, async (a, time) => {
    const { server } = a;
    const b = await ending(time, openClient({ server, longest: 0, ...SWEEP }));
    const at = Date.now() + 5_000;
    await ending(time, a.write(atomic([put("a", "1", at)])));
    const heard: number[] = [];
    for (const { engine } of [a, b]) {
      const { signal } = new AbortController();
      engine.log.wait({ after: 1, persistent: true, signal })
        .then(() => heard.push(Date.now()));
    }
    const calls = server.calls;
    await time.advance(at - Date.now() - 1);
    assertEquals(heard, []);
    await time.advance(1);
    await time.advance(1);
    assertEquals(heard.length, 2);
    assert(heard.every((time) => time <= at + 1), `${heard}, not ${at}`);
    // Nobody asked for it.
    assertEquals(server.calls, calls);
    const log = await ending(time, logOf(b));
    assertEquals(log, ["create a 1", "expire a 1"]);
    await ending(time, b.engine.close());
  }),
);

Deno.test(
  "a server without clients has no timer, and removes at the next request",
  withTime({}, async (a, time) => {
    const { server } = a;
    const at = Date.now() + 5_000;
    await ending(time, a.write(atomic([put("a", "1", at)])));
    assertEquals(time.timers.map(({ keepsRunning }) => keepsRunning), [false]);
    // The line hears nothing any more.
    a.line.deafen();
    assertEquals(time.timers, []);
    await time.advance(6_000);
    const head = await ending(time, a.engine.log.head());
    assertEquals(head, 2);
    assertEquals(await ending(time, logOf(a)), ["create a 1", "expire a 1"]);
    assertEquals(server.clients, 1);
  }),
);

Deno.test(
  "a client that hears nothing finds by its sweep that an entry expired",
  withTime({ sweepInterval: 1_000 }, async ({ engine, line, write }, time) => {
    await ending(time, write(atomic([put("a", "1", Date.now() + 300)])));
    line.deafen();
    const { signal } = new AbortController();
    const waiting = engine.log.wait({ after: 1, persistent: true, signal });
    const took = await timeOf(time, waiting);
    assert(took >= 1_000 && took <= 1_010, `It took ${took} ms`);
  }),
);

for (const cut of CUTS) {
  Deno.test(
    `a batch that was cut ${cut} is done once, even if its entries expire meanwhile`,
    withTime({}, async (client, time) => {
      const { line, write } = client;
      line.cutNext(cut, cut);
      const { request } = line;
      // Between two times that it is sent, a day goes by.
      line.request = (name, ask, signal) => {
        if (name === "write") time.jump(86_400_000);
        return request.call(line, name, ask, signal);
      };
      const at = Date.now() + 2 * 86_400_000;
      const result = await ending(
        time,
        write(atomic([put("a", "1", at), put("b", "1")])),
      );
      assert("effects" in result);
      assertEquals(
        result.effects.map(({ status }) => status),
        ["created", "created"],
      );
      line.request = request;
      time.jump(2 * 86_400_000);
      await ending(time, write(set("c", "1")));
      const log = await ending(time, logOf(client));
      assertEquals(log.toSorted(), [
        "create a 1",
        "create b 1",
        "create c 1",
        "expire a 1",
      ]);
    }),
  );
}

Deno.test(
  "a decision is repeated if its entry expired before it arrived",
  withTime({}, async ({ line, write, get }, time) => {
    await ending(time, write(atomic([put("n", "1", Date.now() + 10_000)])));
    const { request } = line;
    line.request = (name, ask, signal) => {
      if (name === "write") time.jump(10_000);
      return request.call(line, name, ask, signal);
    };
    const saw: (string | undefined)[] = [];
    const result = await ending(
      time,
      write(atomic([decision("n", (value) => {
        saw.push(value);
        return `${value ?? "new"}!`;
      })])),
    );
    assertEquals(saw, ["1", undefined]);
    assert("effects" in result);
    const [{ status, version }] = result.effects;
    assertEquals([status, version], ["created", 1]);
    assertEquals(await ending(time, get("n")), "new!");
  }),
);

Deno.test(
  "a batch whose own puts expire before it arrives is done in the end",
  withTime({ busyTimeout: 1_000 }, async (client, time) => {
    const { line, write, get } = client;
    const { request } = line;
    let delays = 0;
    line.request = (name, ask, signal) => {
      if (name === "write" && delays++ === 0) time.jump(1_000);
      return request.call(line, name, ask, signal);
    };
    const saw: (string | undefined)[] = [];
    // It is there when the decision is made, and gone when the batch arrives.
    const expiring = atomic([
      put("n", "1", Date.now() + 500),
      decision("n", (value) => {
        saw.push(value);
        return "2";
      }),
    ]);
    await ending(time, write(expiring));
    assertEquals(saw, ["1", undefined]);
    assertEquals(await ending(time, get("n")), "2");
    assertEquals(await ending(time, logOf(client)), [
      "create n 1",
      "expire n 1",
      "create n 1",
    ]);
  }),
);

Deno.test("counters that expire again and again lose no count, on bad lines", () =>
  withSeed("expiring counters", (random) =>
    withTwoClients(async (a, b) => {
      const lifetimes = [0, 1, 3, 10, 30];
      await Promise.all([a, b].map(async ({ write }, c) => {
        const own = new Random(`${random.seed} ${c}`);
        for (let round = 0; round < 40; round++) {
          const batch = Array.from({ length: own.between(1, 20) }, () => {
            const key = own.pick(["x", "y", "z"]);
            const expiresAt = own.chance(0.5)
              ? Date.now() + own.pick(lifetimes)
              : own.pick(["keep", undefined] as const);
            const next = decision(key, (value) => ({
              value: new TextEncoder().encode(String(Number(value ?? 0) + 1)),
              expiresAt,
            }));
            return own.chance(0.03)
              ? write(atomic([rangeRemoval()]))
              : write(atomic([next]));
          });
          await Promise.all(batch);
        }
      }));
      // The log alone tells what each count had to be.
      const log = await readLog(b);
      const counts = new Map<string, { count: number; version: number }>();
      for (const { type, key, value, version } of log) {
        const count = Number(new TextDecoder().decode(value));
        const before = counts.get(key);
        if (type === "delete") {
          assertEquals({ count, version }, before);
          counts.delete(key);
          continue;
        }
        const expected = {
          count: (before?.count ?? 0) + 1,
          version: (before?.version ?? 0) + 1,
        };
        assertEquals(type, before ? "update" : "create");
        assertEquals({ count, version }, expected);
        counts.set(key, expected);
      }
      assert(log.some(({ isExpiry }) => isExpiry), "Nothing expired");
      const { items } = await a.engine.keys(KIND, ALL_KEYS);
      assert(items.every((key) => counts.has(key)));
    }, { cuts: 0.1, random })));
