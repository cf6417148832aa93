/**
 * A page that is always up to date: a watch, piped to browsers as server-sent
 * events.
 *
 *     deno run --allow-net=127.0.0.1 --allow-read=. --allow-write=. examples/sse_server.ts [notes.db [port]]
 *
 * Open http://127.0.0.1:8000 in two windows, write in one of them, or from
 * elsewhere, and see it in both:
 *
 *     curl http://127.0.0.1:8000/notes/shopping -H content-type:text/plain -d "Milk and bread"
 *     deno run --allow-read=. --allow-write=. examples/notes.ts
 *
 * Every page that a browser shows may send requests to this machine. So only
 * requests to the names that the server has are answered, and only its own page
 * may write.
 *
 * The browser reconnects by itself and says which event was its last one. Since
 * an event's id is its cursor, it gets exactly what it missed.
 */
import {
  InvalidNameError,
  openStore,
  type Store,
  type WatchBookmark,
  type WatchEvent,
  WatchOverflowError,
} from "@zestor/store";

interface Note {
  title: string;
  content: string;
  updated: string;
}

type Kinds = { notes: Note };
type Notes = Store<Kinds>;

/** Tells the page to clear its list, because a replay of everything follows. */
const RESET = { type: "reset" } as const;

type Message = WatchEvent<Note> | WatchBookmark | typeof RESET;

/**
 * Makes the handler of the requests.
 *
 * @param store Where the notes are.
 * @param signal Ends the event streams, which would never end otherwise.
 */
export function createHandler(
  store: Notes,
  signal?: AbortSignal,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const { host, hostname, pathname } = new URL(request.url);
    if (!HOSTNAMES.includes(hostname)) {
      return refuse(421, `This server is not ${hostname}`);
    }
    const key = /^\/notes\/(.+)$/.exec(pathname)?.[1];
    if (request.method === "POST" && key !== undefined) {
      const origin = request.headers.get("origin") ?? `http://${host}`;
      return origin === `http://${host}`
        ? await writeNote(store, key, request)
        : refuse(403, `Pages of ${origin} may not write here`);
    }
    switch (`${request.method} ${pathname}`) {
      case "GET /":
        return new Response(PAGE, { headers: { "content-type": "text/html" } });
      case "GET /events":
        return eventStream(store, request, signal);
      default:
        return refuse(404, "There is no such page");
    }
  };
}

/**
 * The names of this machine. A page of another site can give its own name this
 * machine's address later (DNS rebinding); then the request still has that name.
 */
const HOSTNAMES = ["127.0.0.1", "localhost", "[::1]"];

/** The longest note, in bytes. */
const LONGEST_NOTE = 65_536;

function refuse(status: number, reason: string): Response {
  return new Response(`${reason}\n`, { status });
}

async function writeNote(
  store: Notes,
  encodedKey: string,
  request: Request,
): Promise<Response> {
  try {
    const key = decodeURIComponent(encodedKey);
    const text = await readText(request, LONGEST_NOTE);
    if (text === undefined) {
      return refuse(413, `A note has at most ${LONGEST_NOTE} bytes`);
    }
    const type = request.headers.get("content-type") ?? "";
    if (text !== "" && !/^text\/plain *(;|$)/i.test(type)) {
      return refuse(415, "A note is text/plain");
    }
    const [title, ...content] = text.split("\n");
    return Response.json(
      await store.set("notes", key, {
        title,
        content: content.join("\n"),
        updated: new Date().toISOString(),
      }),
    );
  } catch (error) {
    const invalid = error instanceof InvalidNameError ||
      error instanceof URIError;
    if (!invalid) throw error;
    return refuse(400, error.message);
  }
}

/** The body; `undefined` if it is longer than `most` bytes, whatever its header says. */
async function readText(
  { body }: Request,
  most: number,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    // This ends the loop, which cancels the body.
    if (length > most) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function eventStream(
  store: Notes,
  request: Request,
  signal?: AbortSignal,
): Response {
  const after = request.headers.get("last-event-id") || undefined;
  const body = messages(store, after, signal).pipeThrough(serverSentEvents());
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
    },
  });
}

/**
 * The changes after a cursor, then live changes. Without a cursor, or if the
 * store cannot resume there, a replay comes first.
 *
 * A client that leaves cancels this stream, and so the watch. If a client does
 * not read, the watch is not read either, and costs nothing.
 */
function messages(
  store: Notes,
  after?: string,
  signal?: AbortSignal,
): ReadableStream<Message> {
  const watch = (from: { after: string } | { initial: true }) =>
    store.watch("notes", { ...from, bookmarks: true, signal }).getReader();

  let changes: ReadableStreamDefaultReader<Message>;
  function replay(controller: ReadableStreamDefaultController<Message>) {
    changes = watch({ initial: true });
    controller.enqueue(RESET);
  }
  return new ReadableStream<Message>({
    start(controller) {
      if (after === undefined) return replay(controller);
      try {
        changes = watch({ after });
      } catch (error) {
        // The client sent an invalid cursor.
        if (!(error instanceof TypeError)) throw error;
        replay(controller);
      }
    },
    async pull(controller) {
      try {
        const { done, value } = await changes.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        if (!(error instanceof WatchOverflowError)) throw error;
        replay(controller);
      }
    },
    async cancel(reason) {
      await changes.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

function serverSentEvents(): TransformStream<Message, Uint8Array> {
  const encoder = new TextEncoder();
  return new TransformStream({
    transform(message, controller) {
      controller.enqueue(encoder.encode(serverSentEvent(message)));
    },
  });
}

/**
 * The id is the cursor to resume after. The events of a replay have none: a
 * client that loses the connection in the middle of one gets it again. The
 * bookmark at its end is an id without an event.
 */
function serverSentEvent(message: Message): string {
  switch (message.type) {
    case "reset":
      return "id:\nevent: reset\ndata:\n\n";
    case "bookmark":
      return `id: ${message.cursor}\n\n`;
    default: {
      const id = message.revision === 0 ? "" : `id: ${message.cursor}\n`;
      // JSON has no line breaks in it, so this is one line.
      const data = JSON.stringify(message);
      return `${id}event: ${message.type}\ndata: ${data}\n\n`;
    }
  }
}

const PAGE = `<!DOCTYPE html>
<meta charset="utf-8">
<title>Notes</title>
<form>
  <input name="key" placeholder="Key" required>
  <input name="text" placeholder="Text" required>
  <button>Write</button>
</form>
<ul></ul>
<script type="module">
  const list = document.querySelector("ul");
  const notes = new Map();

  const events = new EventSource("/events");
  events.addEventListener("reset", () => render(() => notes.clear()));
  for (const type of ["create", "update"]) {
    events.addEventListener(type, ({ data }) => {
      const { key, value } = JSON.parse(data);
      render(() => notes.set(key, value));
    });
  }
  events.addEventListener("delete", ({ data }) => {
    render(() => notes.delete(JSON.parse(data).key));
  });

  function render(change) {
    change();
    list.replaceChildren(...[...notes].sort().map(([key, { title }]) => {
      const item = document.createElement("li");
      item.textContent = key + ": " + title;
      return item;
    }));
  }

  document.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const { key, text } = event.target.elements;
    fetch("/notes/" + encodeURIComponent(key.value), {
      method: "POST",
      body: text.value,
    });
    event.target.reset();
  });
</script>
`;

if (import.meta.main) {
  await using store = await openStore<Kinds>({
    path: Deno.args[0] ?? "notes.db",
  });
  const stopping = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: Number(Deno.args[1] ?? 8000),
    onListen: ({ port }) => console.log(`Open http://127.0.0.1:${port}/`),
    handler: createHandler(store, stopping.signal),
  });
  const stop = () => {
    // In this order: the server waits for responses that are under way.
    stopping.abort();
    server.shutdown();
  };
  Deno.addSignalListener("SIGINT", stop);
  // Windows has no SIGTERM.
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  await server.finished;
}
