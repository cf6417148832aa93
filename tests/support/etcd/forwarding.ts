/**
 * A server in front of etcd. It forwards requests, can hold them, and can change
 * what a watch sends.
 *
 * @module
 */

/** Changes the answers of one watch. */
export type WatchFilter = TransformStream<string, string>;

/** What the server does to requests. */
export interface Forwarding {
  /** Makes a filter for each watch. Its chunks are lines of JSON. */
  readonly filter?: () => WatchFilter;
  /** A request goes on when it resolves. */
  readonly hold?: (pathname: string) => void | Promise<void>;
}

/** Forwards requests to a server. */
export function forward(
  url: string,
  { filter = () => new TransformStream(), hold }: Forwarding,
): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      await hold?.(pathname);
      const { status, body } = await fetch(new URL(pathname, url), {
        method: request.method,
        body: await request.text(),
      });
      if (!body || !pathname.endsWith("/watch")) {
        return new Response(body, { status });
      }
      const lines = body.pipeThrough(new TextDecoderStream())
        .pipeThrough(new TextLineStream())
        .pipeThrough(filter())
        .pipeThrough(lineEnds())
        .pipeThrough(new TextEncoderStream());
      return new Response(lines, { status });
    },
  );
}

/** The address of a server, as an endpoint. */
export function endpointOf({ addr }: Deno.HttpServer<Deno.NetAddr>): string {
  return `http://127.0.0.1:${addr.port}`;
}

/** Cuts text into lines. */
class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let open = "";
    super({
      transform(chunk, controller) {
        const lines = (open + chunk).split("\n");
        open = lines.pop()!;
        for (const line of lines) controller.enqueue(line);
      },
    });
  }
}

function lineEnds(): TransformStream<string, string> {
  return new TransformStream({
    transform: (line, controller) => controller.enqueue(line + "\n"),
  });
}
