/**
 * A message board with a live feed, which runs on Deno Deploy and on your
 * machine. If `PGHOST` is set, its store is in PostgreSQL, and every instance
 * of the program shows the same board; else it is in a file.
 *
 *     deno run --allow-net=127.0.0.1 --allow-env --allow-read=. --allow-write=. examples/board.ts
 *     curl http://127.0.0.1:8000/feed
 *     curl http://127.0.0.1:8000/ -d "Hello"
 *
 * With a PostgreSQL for local work:
 *
 *     docker compose --file docs/compose.yaml up --detach
 *     PGHOST=127.0.0.1 PGUSER=board PGPASSWORD=board PGDATABASE=board deno run --allow-net=127.0.0.1 --allow-env examples/board.ts
 */
import { openStore, type Store } from "@zestor/store";
import { openPostgresStore } from "@zestor/store/postgres";

type Kinds = { messages: { text: string } };

/** The longest message, in characters. */
const LONGEST = 1_000;

async function handle(
  store: Store<Kinds>,
  request: Request,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  switch (`${request.method} ${pathname}`) {
    case "GET /": {
      const messages = await store.values("messages", {
        reverse: true,
        limit: 100,
      });
      return Response.json(messages.map(({ value }) => value.text));
    }
    case "POST /": {
      const text = await request.text();
      if (text === "" || text.length > LONGEST) {
        const reason = `A message has 1 to ${LONGEST} characters\n`;
        return new Response(reason, { status: 400 });
      }
      // Keys are in the order of time.
      const key = `${new Date().toISOString()} ${crypto.randomUUID()}`;
      const { revision } = await store.set("messages", key, { text });
      return Response.json({ revision });
    }
    case "GET /feed":
      return feed(store, request);
  }
  return new Response("There is nothing here\n", { status: 404 });
}

/** All messages, then each new one: one line of JSON each. */
function feed(store: Store<Kinds>, request: Request): Response {
  const { signal } = request;
  const lines = store.watch("messages", { initial: true, signal })
    .pipeThrough(
      new TransformStream({
        transform(event, controller) {
          if (event.type === "delete") return;
          controller.enqueue(`${JSON.stringify(event.value.text)}\n`);
        },
      }),
    ).pipeThrough(new TextEncoderStream());
  return new Response(lines, {
    headers: { "content-type": "application/x-ndjson" },
  });
}

if (import.meta.main) {
  const isShared = Deno.env.has("PGHOST");
  const store: Store<Kinds> = isShared
    ? await openPostgresStore<Kinds>()
    : await openStore<Kinds>({ path: "board.db" });
  const server = Deno.serve({
    hostname: Deno.env.get("HOST") ?? "127.0.0.1",
    port: Number(Deno.env.get("PORT") ?? 8000),
    onListen: ({ port }) => console.log(`Open http://127.0.0.1:${port}/`),
    handler: (request) => handle(store, request),
  });
  await server.finished;
  await store.close();
}
