/**
 * A web server that a command runs until it is interrupted.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { sleep } from "../../base/slice.ts";
import { UsageError } from "../errors.ts";
import { writeError } from "../output/output.ts";
import { isGranted } from "../permissions.ts";

/** The default port, if it is free. */
export const DEFAULT_PORT = 9378;

/** How long connections may continue when the server ends, in ms. */
const GRACE_MS = 1_000;

const LOOPBACK: readonly string[] = ["127.0.0.1", "localhost", "::1"];

/** The addresses that mean every address of the machine, each with one to open. */
const ANY_ADDRESS: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "::": "::1",
};

/** The address of the server. */
export interface ServeOptions {
  readonly host: string;
  /** Absent: the default port, or any free one. */
  readonly port: number | undefined;
  /** Ends the server. */
  readonly signal: AbortSignal;
}

/** A running server. Disposing of it ends it. */
export interface RunningServer extends AsyncDisposable {
  /** The URL of its root. */
  readonly url: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

/** Throws `UsageError` if Deno may not listen there. */
export async function assertMayServe(
  host: string,
  port: number,
): Promise<void> {
  const address = `${inUrl(host)}:${port}`;
  if (await isGranted({ name: "net", host: address })) return;
  throw new UsageError(
    `Cannot listen on ${address}: the permission is missing; run deno with --allow-net=${address}`,
  );
}

/** Starts a server. Throws `UsageError` if it cannot listen there. */
export function serve(
  handler: (request: Request) => Promise<Response>,
  { host, port, signal }: ServeOptions,
): RunningServer {
  const stop = new AbortController();
  const server = listen(handler, { host, port, signal: stop.signal });
  const end = async () => {
    const shutdown = server.shutdown().then(() => true, () => false);
    const grace = sleep(GRACE_MS, undefined, false).then(() => false);
    // A server that has ended cannot be aborted.
    if (!await Promise.race([shutdown, grace])) stop.abort();
    await server.finished;
  };
  let ending: Promise<void> | undefined;
  const onAbort = () => {
    ending ??= end();
  };
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  warnOfOthers(host);
  const name = inUrl(ANY_ADDRESS[host] ?? host);
  return {
    url: `http://${name}:${server.addr.port}/`,
    ended: server.finished,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener("abort", onAbort);
      await (ending ??= end());
    },
  };
}

function listen(
  handler: (request: Request) => Promise<Response>,
  { host, port, signal }: ServeOptions,
): Deno.HttpServer<Deno.NetAddr> {
  const options = { hostname: host, signal, onListen() {} };
  try {
    return Deno.serve({ ...options, port: port ?? DEFAULT_PORT }, handler);
  } catch (cause) {
    const isTaken = cause instanceof Deno.errors.AddrInUse;
    if (isTaken && port === undefined && mayListenAnywhere(host)) {
      return listen(handler, { host, port: 0, signal });
    }
    throw new UsageError(
      `Cannot listen on ${inUrl(host)}:${port ?? DEFAULT_PORT}: ${
        isTaken
          ? "the port is taken; give another one, or 0 for any that is free"
          : reasonOf(cause)
      }`,
      { cause },
    );
  }
}

/** Whether any port is permitted. If it is not, Deno would ask. */
function mayListenAnywhere(host: string): boolean {
  const { state } = Deno.permissions.querySync({
    name: "net",
    host: `${inUrl(host)}:0`,
  });
  return state === "granted";
}

function warnOfOthers(host: string): void {
  if (LOOPBACK.includes(host)) return;
  writeError(
    `zestor: Other machines can reach ${host}. The connection is not encrypted: others on the network can read the secret in the URL`,
  );
}

/** A host in the form of URLs: an IPv6 address is in brackets. */
function inUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
