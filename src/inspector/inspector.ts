/**
 * The inspector: a page in the browser that shows a store, live. It is a
 * request handler, for a server of its own, or mounted in another server.
 * `zestor ui` serves it.
 *
 * ```sh
 * zestor ui --db app.db
 * ```
 *
 * The page, its styles and its libraries come with the package. There is no
 * build step, and the page loads nothing from the Internet.
 *
 * It shows everything in the store, so it is for people who may read all of it.
 * It answers only requests whose `Host` is this machine, that do not come from
 * a page of another origin, and that have the session's cookie. It can write
 * only if `write` is set.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import {
  boolean,
  func,
  type OptionsSpec,
  type Reader,
  readOptions,
  signal,
} from "../base/options.ts";
import { describe } from "../base/messages.ts";
import type { Store } from "../contract/store.ts";
import { type Inspection, inspectionOf } from "../store/inspection.ts";
import { Access, type Authorize, drawToken, firstUrl } from "./access.ts";
import type { Session } from "./api.ts";
import { assetAt, assetPaths, INDEX } from "./assets.ts";
import {
  assertMethod,
  callEndpoint,
  type EndpointContext,
  isEndpoint,
} from "./endpoints.ts";
import { RequestError } from "./failures.ts";
import { Verifier } from "./health.ts";
import { Reachability } from "./live/reachability.ts";
import { MOST_ROWS } from "./reading.ts";
import { MOST_BODY } from "./requests.ts";
import { assetResponse, failureResponse, guarded } from "./responses.ts";
import { LONGEST_PREVIEW, LONGEST_TEXT } from "./shown_values.ts";

/** Options of {@linkcode inspector}. */
export interface InspectorOptions {
  /** Whether entries may be created, edited and deleted. @default {false} */
  write?: boolean;
  /**
   * The names under which browsers reach the server, without ports, in addition
   * to `localhost`, `127.0.0.1` and `[::1]`. Requests for other names are
   * refused. `"0.0.0.0"` means all addresses, but no name.
   * @default {none}
   */
  hosts?: readonly string[];
  /**
   * The secret in the first URL, which becomes the cookie of the session. It
   * has at least 16 characters: letters, digits, "-" and "_". Give one if the
   * URL must stay the same after a restart.
   * @default {256 random bits}
   */
  token?: string;
  /**
   * Decides who may use the inspector, instead of the token, in a server that
   * knows its users. It is called for each request, and only `true` lets the
   * request pass.
   */
  authorize?: (request: Request) => boolean | Promise<boolean>;
  /**
   * When it aborts, the streams of live changes end. A server waits for these
   * streams when it shuts down.
   */
  signal?: AbortSignal;
}

/** Answers the requests of browsers. */
export interface Inspector {
  /** Answers a request. It never rejects. */
  (request: Request): Promise<Response>;
  /**
   * The first URL to open, with the token.
   *
   * @param base The URL at which the inspector is mounted. Its path ends with "/".
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { inspector } from "@zestor/store/inspector";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * const inspect = inspector(store, { token: "a-secret-of-my-own" });
   * const url = new URL(inspect.url("http://127.0.0.1:8000/admin/"));
   * assertEquals(url.pathname, "/admin/");
   * ```
   */
  url(base: string | URL): string;
}

/** These characters need no escapes in a URL or a cookie. */
const token: Reader<string> = (action, name, value) => {
  if (typeof value === "string" && /^[\w-]{16,}$/.test(value)) return value;
  throw new TypeError(
    `Cannot ${action}: "${name}" must be a text of at least 16 letters, digits, "-" and "_"`,
  );
};

const hosts: Reader<readonly string[]> = (action, name, value) => {
  const areNames = Array.isArray(value) &&
    value.every((host) => typeof host === "string" && isHost(host));
  if (areNames) return [...value];
  throw new TypeError(
    `Cannot ${action}: "${name}" must be an array of names without ports, received ${
      describe(value)
    }`,
  );
};

/** Whether a text is a name or an address, without a port. */
function isHost(text: string): boolean {
  return /^[\w.-]+$/.test(text) ||
    /^\[?[\da-f:.]*:[\da-f:.]*:[\da-f:.]*\]?$/i.test(text);
}

const INSPECTOR = {
  write: boolean,
  hosts,
  token,
  authorize: func<Authorize>(),
  signal,
} satisfies OptionsSpec<InspectorOptions>;

/**
 * Makes the inspector of a store. It can be mounted under any path that ends
 * with "/", also by a router that removes the path.
 *
 * It needs only the permissions of the store and the server. It does not close
 * the store. If the store closes, the page says so.
 *
 * @param store A store that this package opened.
 * @param options Whether it may write, and who may use it.
 * @throws {TypeError} If the store is not one of this package, or an option is
 * invalid.
 *
 * @example
 * ```ts
 * import { openStore } from "@zestor/store";
 * import { inspector } from "@zestor/store/inspector";
 * import { assertEquals } from "@std/assert";
 *
 * await using store = await openStore({ path: ":memory:" });
 * await store.set("users", "alice", { name: "Alice" });
 *
 * const inspect = inspector(store);
 * // Deno.serve({ hostname: "127.0.0.1", port: 8000 }, inspect);
 * const url = inspect.url("http://127.0.0.1:8000/"); // Open this.
 *
 * const { status, headers } = await inspect(new Request(url));
 * assertEquals([status, headers.get("location")], [303, "./"]);
 * const stranger = await inspect(new Request("http://127.0.0.1:8000/"));
 * assertEquals(stranger.status, 401);
 * await stranger.body?.cancel();
 * ```
 */
export function inspector(
  store: Store,
  options?: InspectorOptions,
): Inspector {
  const action = "inspect the store";
  const given = readOptions(action, options, INSPECTOR);
  const inspection = inspectionOf(store);
  if (!inspection) {
    throw new TypeError(
      `Cannot ${action}: expected a store that this copy of @zestor/store opened, received ${
        describe(store)
      }`,
    );
  }
  const { token = drawToken(), hosts = [], authorize } = given;
  const access = new Access({ hosts, token, authorize });
  const readOnlyReason = readOnlyReasonOf(inspection, given.write ?? false);
  const context: EndpointContext = {
    store,
    inspection,
    reachability: new Reachability(inspection),
    verifier: new Verifier(store),
    readOnlyReason,
    session: () => sessionOf(inspection, readOnlyReason),
    signal: given.signal ?? new AbortController().signal,
  };
  const handle = (request: Request) => respond(access, context, request);
  return Object.assign(handle, {
    url: (base: string | URL) => firstUrl(base, token),
  });
}

function readOnlyReasonOf(
  { engine }: Inspection,
  write: boolean,
): string | undefined {
  if (!write) {
    return "This inspector may not write; start zestor ui with --write, or give the inspector the option write";
  }
  return engine.isReadOnly
    ? "The store was opened only to read; open it for writing"
    : undefined;
}

function sessionOf(
  { place }: Inspection,
  readOnlyReason: string | undefined,
): Session {
  const { engine, location = engine, schema } = place;
  return {
    location,
    engine,
    ...(schema === undefined ? {} : { schema }),
    canWrite: readOnlyReason === undefined,
    ...(readOnlyReason === undefined ? {} : { readOnlyReason }),
    version: config.version,
    now: new Date().toISOString(),
    limits: {
      page: MOST_ROWS,
      body: MOST_BODY,
      text: LONGEST_TEXT,
      preview: LONGEST_PREVIEW,
    },
  };
}

/** The target of a path, independent of the mount. */
type Target =
  | { readonly endpoint: string }
  | { readonly asset: string };

const ASSETS: readonly string[] = assetPaths().filter((path) => path !== INDEX);

function targetOf(pathname: string): Target | undefined {
  const [, endpoint] = /\/api\/(\w+)$/.exec(pathname) ?? [];
  if (endpoint !== undefined && isEndpoint(endpoint)) return { endpoint };
  const asset = ASSETS.find((path) => pathname.endsWith(`/${path}`));
  if (asset !== undefined) return { asset };
  return pathname.endsWith("/") ? { asset: INDEX } : undefined;
}

async function respond(
  access: Access,
  context: EndpointContext,
  request: Request,
): Promise<Response> {
  const url = new URL(request.url);
  const target = targetOf(url.pathname);
  const isForPage = target !== undefined && "endpoint" in target;
  try {
    access.assertOwn(request, url);
    const isFirst = target !== undefined && "asset" in target &&
      target.asset === INDEX;
    const exchanged = isFirst && access.exchange(request, url);
    if (exchanged) return guarded(exchanged);
    await access.assertSession(request);
    return guarded(await respondTo(target, context, request));
  } catch (error) {
    return guarded(failureResponse(error, isForPage));
  }
}

async function respondTo(
  target: Target | undefined,
  context: EndpointContext,
  request: Request,
): Promise<Response> {
  if (target === undefined) {
    throw new RequestError(404, "NOT_FOUND", "There is no such page");
  }
  if ("endpoint" in target) {
    return await callEndpoint(context, target.endpoint, request);
  }
  assertMethod(request, "GET");
  return assetResponse(await assetAt(target.asset)!, request);
}
