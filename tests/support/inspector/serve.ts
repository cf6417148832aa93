/**
 * An inspector behind a web server, and a browser's half of its API.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Store } from "../../../mod.ts";
import {
  type Inspector,
  inspector,
  type InspectorOptions,
} from "../../../src/inspector/inspector.ts";
import type { ApiError, StreamEvents } from "../../../src/inspector/api.ts";
import { type BrowserStream, openBrowserStream } from "./browser_stream.ts";

/** What a query or a body has. */
export type Given = Record<string, unknown>;

/** A session of a browser. */
export interface Session {
  /** The URL that the paths are relative to. */
  readonly base: string;
  readonly cookie: string;
  /** Sends a request with the cookie. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The answer of a `GET`, which must be good. */
  get<T>(name: string, query?: Given): Promise<T>;
  /** The error of a `GET`, with its status. */
  refusal(name: string, query?: Given): Promise<ApiError & { status: number }>;
  /** The answer of a `POST`, which must be good. */
  post<T>(name: string, body: unknown): Promise<T>;
  /** The error of a `POST`, with its status. */
  postRefusal(
    name: string,
    body: unknown,
  ): Promise<ApiError & { status: number }>;
  /** The live changes. */
  events(after?: string): Promise<BrowserStream<StreamEvents>>;
}

/** A server with an inspector. Disposing of it ends the server. */
export interface Served extends Session, AsyncDisposable {
  readonly inspect: Inspector;
  readonly port: number;
  /** Opens another session, as another browser does. */
  login(): Promise<Session>;
  /** Ends the streams, as a server does before it shuts down. */
  stop(): void;
}

/** Serves an inspector of a store, under a path. */
export async function serveInspector(
  store: Store,
  { path = "/", ...options }: InspectorOptions & { path?: string } = {},
): Promise<Served> {
  const stopping = new AbortController();
  const inspect = inspector(store, { signal: stopping.signal, ...options });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    inspect,
  );
  const { port } = server.addr;
  const base = `http://127.0.0.1:${port}${path}`;
  const login = () => openSession(base, inspect.url(base));
  return {
    ...await login(),
    inspect,
    port,
    login,
    stop: () => stopping.abort(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await server.shutdown();
    },
  };
}

async function openSession(base: string, url: string): Promise<Session> {
  const first = await fetch(url, { redirect: "manual" });
  await first.body?.cancel();
  const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
  const send = (path: string, { headers, ...init }: RequestInit = {}) =>
    fetch(`${base}${path}`, {
      ...init,
      redirect: "manual",
      headers: { cookie, ...headers as Record<string, string> },
    });
  const get = (name: string, query: Given = {}) => {
    const parameters = new URLSearchParams(
      Object.entries(query).map(([key, value]) => [key, String(value)]),
    );
    return send(`api/${name}?${parameters}`);
  };
  const post = (name: string, body: unknown) =>
    send(`api/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  return {
    base,
    cookie,
    fetch: send,
    get: async (name, query) => await good(await get(name, query)),
    refusal: async (name, query) => await refused(await get(name, query)),
    post: async (name, body) => await good(await post(name, body)),
    postRefusal: async (name, body) => await refused(await post(name, body)),
    events: async (after) => {
      const query = after === undefined ? {} : { after };
      return openBrowserStream<StreamEvents>(await get("events", query));
    },
  };
}

async function good<T>(response: Response): Promise<T> {
  const body = await response.json();
  assertEquals([response.status, body.error], [200, undefined]);
  return body;
}

async function refused(
  response: Response,
): Promise<ApiError & { status: number }> {
  const { error } = await response.json();
  return { status: response.status, ...error };
}
