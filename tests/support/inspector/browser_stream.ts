/**
 * Server-Sent Events as a browser reads them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";

/** An event that arrived. */
export type Arrived<Events> = {
  [Name in keyof Events]: {
    readonly event: Name;
    readonly data: Events[Name];
    /** The id of the last event that had one. */
    readonly id: string;
  };
}[keyof Events];

/** The events of a stream, one by one. Disposing of it leaves, as a browser does. */
export interface BrowserStream<Events> extends AsyncDisposable {
  /** The next event; `undefined` at the end. */
  next(): Promise<Arrived<Events> | undefined>;
  /** The data of the next event, which has to have this name. */
  expect<Name extends keyof Events>(event: Name): Promise<Events[Name]>;
  /** The id that the browser would send when it connects again. */
  readonly lastId: string;
}

/** Reads a response. */
export function openBrowserStream<Events>(
  response: Response,
): BrowserStream<Events> {
  assertEquals(response.status, 200);
  const type = response.headers.get("content-type") ?? "";
  assert(type.startsWith("text/event-stream"), type);
  const reader = response.body!.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";
  let lastId = "";

  /** The lines of the next block; `undefined` at the end. */
  async function block(): Promise<string[] | undefined> {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end >= 0) {
        const found = text.slice(0, end);
        text = text.slice(end + 2);
        return found.split("\n");
      }
      const { done, value } = await reader.read();
      if (done) return undefined;
      text += value;
    }
  }

  async function next(): Promise<Arrived<Events> | undefined> {
    for (;;) {
      const lines = await block();
      if (lines === undefined) return undefined;
      const fields = new Map(
        lines.map((line) => {
          const at = line.indexOf(": ");
          return [line.slice(0, at), line.slice(at + 2)];
        }),
      );
      lastId = fields.get("id") ?? lastId;
      const data = fields.get("data");
      if (data === undefined) continue;
      return {
        event: fields.get("event"),
        data: JSON.parse(data),
        id: lastId,
      } as Arrived<Events>;
    }
  }

  return {
    next,
    async expect(event) {
      const arrived = await next();
      assertEquals(arrived?.event, event, JSON.stringify(arrived));
      return arrived!.data as Events[typeof event];
    },
    get lastId() {
      return lastId;
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel();
    },
  };
}
