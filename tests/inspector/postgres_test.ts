/**
 * A store in PostgreSQL whose server goes away and comes back: the page is told
 * of both, and misses no change.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { KindsAnswer, Session } from "../../src/inspector/api.ts";
import { openPostgresStore } from "../../src/postgres/open_postgres_store.ts";
import { inspectionOf } from "../../src/store/inspection.ts";
import { serveInspector } from "../support/inspector/serve.ts";
import { startServer } from "../support/postgres/server.ts";
import { testServer } from "../support/postgres/test_server.ts";
import { until } from "../support/postgres/until.ts";

testServer(
  "the page shows that a server has stopped, and recovers when it starts",
  async (binaries) => {
    await using server = await startServer({
      binaries,
      fsync: true,
      password: "secret",
    });
    const store = await openPostgresStore({
      url: server.url,
      busyTimeout: 200,
    });
    await using _ = store;
    await store.set("k", "a", 1);
    await using served = await serveInspector(store);
    const session = await served.get<Session>("session");
    assert(session.location.includes(`:${server.port}/`), session.location);
    assert(!JSON.stringify(session).includes("secret"));
    assert(!(await (await served.fetch("api/info")).text()).includes("secret"));

    await using stream = await served.events();
    assertEquals((await stream.expect("start")).revision, 1);
    await server.stop();
    const { message } = await stream.expect("down");
    assert(message !== "" && !message.includes("secret"), message);
    const refusal = await served.refusal("kinds");
    assertEquals([refusal.status, refusal.code], [503, "UNAVAILABLE"]);
    assert(!refusal.message.includes("secret"), refusal.message);
    // Who opens the page now is told as well.
    await using late = await served.events();
    await late.expect("down");

    await server.start();
    await stream.expect("up");
    await store.set("k", "a", 2);
    const { changes } = await stream.expect("changes");
    assertEquals(changes.map(({ revision }) => revision), [2]);
    const names: (string | undefined)[] = [];
    for (let i = 0; i < 2; i++) names.push((await late.next())?.event);
    assertEquals(new Set(names).has("start"), true, names.join());
    const { kinds } = await served.get<KindsAnswer>("kinds");
    assertEquals(kinds.length, 1);

    await stream[Symbol.asyncDispose]();
    await late[Symbol.asyncDispose]();
    const { watches } = inspectionOf(store)!;
    assert(watches <= 2, `${watches}`);
    await until("no watch is open", () => inspectionOf(store)!.watches === 0);
  },
);
