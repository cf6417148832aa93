/**
 * Spans and metrics of a store on PostgreSQL.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { SpanKind } from "@opentelemetry/api";
import { VersionConflictError } from "../../mod.ts";
import { instrument } from "../../src/otel/instrument.ts";
import {
  idOf,
  linksOf,
  parentOf,
  Recorder,
  rooted,
} from "../support/otel/recorder.ts";
import { openTestStore } from "../support/postgres/faults.ts";
import {
  freshSchema,
  testPostgres,
} from "../support/postgres/test_postgres.ts";

testPostgres(
  "the operations of a store on PostgreSQL have spans, and its commits links",
  rooted(async ({ url }) => {
    const recorder = new Recorder();
    const schema = freshSchema();
    await using store = instrument(await openTestStore({ url, schema }), {
      ...recorder,
    });
    await Promise.all([
      store.set("k", "a", 1),
      store.update("k", "a", (n) => n + 1),
    ]);
    await assertRejects(
      () => store.set("k", "a", 3, { ifVersion: 9 }),
      VersionConflictError,
    );
    await store.get("k", "a");

    const { attributes, kind } = recorder.span("get k");
    const { hostname, port, pathname } = new URL(url);
    assertEquals(attributes, {
      "db.system.name": "postgresql",
      "db.namespace": `${pathname.slice(1)}|${schema}`,
      "server.address": hostname,
      ...(port === "" ? {} : { "server.port": Number(port) }),
      "db.operation.name": "get",
      "db.collection.name": "k",
    });
    assertEquals(kind, SpanKind.CLIENT);
    const [first, refused] = recorder.spans.filter(({ name }) =>
      name === "set k"
    );
    assertEquals(refused.attributes["error.type"], "VersionConflictError");
    const update = recorder.span("update k");
    const commits = recorder.spans.filter(({ name }) => name === "commit");
    assertEquals(commits.flatMap(linksOf), [first, update, refused].map(idOf));
    for (const commit of commits) {
      assertEquals(parentOf(commit), linksOf(commit)[0]);
    }
  }),
);

testPostgres(
  "the commits, watches and log of a store on PostgreSQL are measured",
  rooted(async ({ url }) => {
    const recorder = new Recorder();
    await using store = instrument(
      await openTestStore({ url, schema: freshSchema() }),
      { ...recorder },
    );
    const reader = store.watch("k").getReader();
    const reading = reader.read();
    await store.set("k", "a", 1);
    await reading;
    const metrics = await recorder.metrics();
    const countOf = (name: string) => metrics.get(name)?.points[0].count;
    const valueOf = (name: string) => metrics.get(name)?.points[0].value;
    // A watch asks for the newest revision as a write does, and commits nothing.
    assertEquals(valueOf("zestor.commit.writes"), 1);
    assertEquals(countOf("zestor.watch.lag"), 1);
    assertEquals(valueOf("zestor.watch.count"), 1);
    assertEquals(valueOf("zestor.log.reach"), 1);
    await reader.cancel();
  }),
);
