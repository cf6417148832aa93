/**
 * Clients of one server, each with a line, an engine and a queue of its own.
 *
 * @module
 */
import { ALL_KEYS } from "../../../src/keys/key_range.ts";
import type { StoredChange } from "../../../src/engine/entries.ts";
import { Queue } from "../../../src/engine/queue.ts";
import type { Random } from "../random.ts";
import { Line, type LineOptions } from "./line.ts";
import { KIND, type Result, textOf } from "./operations.ts";
import type { Operation } from "../../../src/engine/operation.ts";
import { RemoteEngine, type RemoteEngineOptions } from "./remote_engine.ts";
import { Server } from "./server.ts";

/** A client. */
export interface TestClient {
  readonly server: Server;
  readonly line: Line;
  readonly engine: RemoteEngine;
  readonly queue: Queue;
  /** Puts an operation into the queue. */
  write(operation: Operation<Result>, signal?: AbortSignal): Promise<Result>;
  /** Reads a text. */
  get(key: string): Promise<string | undefined>;
}

/** How the clients work. */
export interface ClientOptions extends RemoteEngineOptions, LineOptions {
  readonly server?: Server;
}

/** Opens a client of a server; the caller closes its engine. */
export async function openClient(
  { server = new Server(), busyTimeout = 5_000, ...options }: ClientOptions =
    {},
): Promise<TestClient> {
  const line = new Line(server, { longest: 1, ...options });
  const engine = await RemoteEngine.open(line, { busyTimeout, ...options });
  const queue = new Queue(engine, busyTimeout);
  return {
    server,
    line,
    engine,
    queue,
    write: (operation, signal) => queue.write(operation, signal),
    get: async (key) => textOf(await engine.value(KIND, key)),
  };
}

/** Runs a test with a client, then closes it. Nothing of it is left. */
export async function withClient(
  test: (client: TestClient) => Promise<void>,
  options?: ClientOptions,
): Promise<void> {
  const client = await openClient(options);
  try {
    await test(client);
  } finally {
    await client.engine.close();
  }
}

/** The same with two clients of one server. */
export async function withTwoClients(
  test: (a: TestClient, b: TestClient) => Promise<void>,
  { server = new Server(), ...options }: ClientOptions & { random?: Random } =
    {},
): Promise<void> {
  await withClient(
    (a) => withClient((b) => test(a, b), { server, ...options }),
    { server, ...options },
  );
}

/** Every change in a client's log, in order. */
export async function readLog(
  { engine }: TestClient,
): Promise<StoredChange[]> {
  const all: StoredChange[] = [];
  for (let after = 0;;) {
    const filter = { kinds: [KIND], keys: ALL_KEYS };
    const { changes, cursor } = await engine.log.read(filter, after, 256);
    if (cursor === after) return all;
    for (const change of changes) {
      if ("problem" in change) throw change.problem;
      all.push(change);
    }
    after = cursor;
  }
}
