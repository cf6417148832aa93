/**
 * The endpoints of the API, with their parameters and actions.
 *
 * @module
 */
import {
  countEntries,
  RANGE,
  readEntries,
  readEntry,
  readKinds,
  readValue,
} from "./reading.ts";
import type { Store } from "../contract/store.ts";
import type { Inspection } from "../store/inspection.ts";
import type { Session } from "./api.ts";
import { RequestError } from "./failures.ts";
import { readInfo, type Verifier } from "./health.ts";
import { openEventStream } from "./live/event_stream.ts";
import type { Reachability } from "./live/reachability.ts";
import { readChanges, readLog } from "./past.ts";
import { bodyOf, type Parameters, queryOf } from "./requests.ts";
import { answer, downloadResponse, eventsResponse } from "./responses.ts";
import {
  deleteEntry,
  restoreEntry,
  setEntry,
  type Writing,
} from "./writing.ts";

/** The parts that the endpoints need. */
export interface EndpointContext {
  readonly store: Store;
  readonly inspection: Inspection;
  readonly reachability: Reachability;
  readonly verifier: Verifier;
  /** Why writing is not permitted; `undefined` if it is. */
  readonly readOnlyReason: string | undefined;
  session(): Session;
  /** Aborts when the inspector ends. */
  readonly signal: AbortSignal;
}

/** A request, with its parameters. */
interface Call {
  readonly context: EndpointContext;
  readonly request: Request;
  readonly parameters: Parameters;
}

interface Endpoint {
  readonly method: "GET" | "POST";
  readonly parameters: readonly string[];
  /** Whether it writes to the store. */
  readonly writes?: true;
  run(call: Call): Promise<Response>;
}

/** Reads through the inspection of a store. */
type Read = (
  inspection: Inspection,
  parameters: Parameters,
  signal: AbortSignal,
) => Promise<unknown>;

function get(parameters: readonly string[], read: Read): Endpoint {
  return {
    method: "GET",
    parameters,
    run: async ({ context: { inspection, signal }, parameters }) =>
      answer(await read(inspection, parameters, signal)),
  };
}

function write(
  parameters: readonly string[],
  change: (writing: Writing) => Promise<unknown>,
): Endpoint {
  return {
    method: "POST",
    parameters,
    writes: true,
    run: async ({ context, parameters }) =>
      answer(await change({ ...context, parameters })),
  };
}

const ENTRY = ["kind", "key", "at", "language", "text"];

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  session: {
    method: "GET",
    parameters: [],
    run: ({ context }) => Promise.resolve(answer(context.session())),
  },
  kinds: get(["at"], readKinds),
  entries: get([...RANGE, "past", "reverse", "limit"], readEntries),
  count: get(RANGE, countEntries),
  entry: get(ENTRY, readEntry),
  value: {
    method: "GET",
    parameters: ENTRY,
    run: async ({ context: { inspection, signal }, parameters }) =>
      downloadResponse(await readValue(inspection, parameters, signal)),
  },
  log: get(["moments"], readLog),
  changes: get(
    ["kind", "key", "prefix", "before", "limit", "language", "text"],
    readChanges,
  ),
  info: {
    method: "GET",
    parameters: [],
    run: async ({ context: { store, inspection, signal } }) =>
      answer(await readInfo(store, inspection, signal)),
  },
  verify: {
    method: "POST",
    parameters: [],
    run: async ({ context }) => answer(await context.verifier.verify()),
  },
  set: write(
    ["kind", "key", "text", "language", "ifRevision", "expiry"],
    setEntry,
  ),
  delete: write(["kind", "key", "ifRevision"], deleteEntry),
  restore: write(["kind", "key", "at", "ifRevision"], restoreEntry),
  events: { method: "GET", parameters: ["after"], run: followChanges },
};

/** Whether there is an endpoint of a name. */
export function isEndpoint(name: string): boolean {
  return Object.hasOwn(ENDPOINTS, name);
}

/** Answers a request to an endpoint. */
export async function callEndpoint(
  context: EndpointContext,
  name: string,
  request: Request,
): Promise<Response> {
  const endpoint = ENDPOINTS[name];
  assertMethod(request, endpoint.method);
  const parameters = endpoint.method === "GET"
    ? queryOf(new URL(request.url), endpoint.parameters)
    : await bodyOf(request, endpoint.parameters);
  if (endpoint.writes && context.readOnlyReason !== undefined) {
    throw new RequestError(403, "READ_ONLY", context.readOnlyReason);
  }
  return await endpoint.run({ context, request, parameters });
}

/** Throws a `RequestError` unless a request has this method. */
export function assertMethod({ method }: Request, expected: string): void {
  if (method === expected) return;
  throw new RequestError(405, "METHOD", `The method must be ${expected}`);
}

/** The live changes. A browser that reconnects sends its place in a header. */
async function followChanges(
  { context, request, parameters }: Call,
): Promise<Response> {
  const { inspection, reachability, signal } = context;
  const last = request.headers.get("last-event-id") || undefined;
  const after = last ?? parameters.text("after");
  // If the store is closed, the response is an error, not a stream.
  await inspection.read(
    "watch",
    () => inspection.engine.assertWatchable("watch"),
  );
  return eventsResponse(
    openEventStream({ inspection, reachability, after, signal }),
  );
}
