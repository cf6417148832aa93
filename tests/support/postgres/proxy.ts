/**
 * A TCP proxy of the loopback interface that breaks connections as a test asks:
 * cut, silent, slow, or refused.
 *
 * @module
 */
import {
  type Direction,
  type Faults,
  Link,
  type Losses,
  type ProxyCounts,
} from "./link.ts";
import type { Random } from "../random.ts";

/** A proxy. Disposing of it cuts all connections. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  readonly counts: Readonly<ProxyCounts>;
  /** How many connections there are. */
  readonly open: number;
  /** A URL of the server, through the proxy. */
  url(ofServer: string): string;
  /** Cuts all connections now. */
  cut(): void;
  /**
   * From now on, loses chunks at random and cuts their connections. A lost
   * request has no effect; a lost answer is that of a request that had one.
   */
  cutAtRandom(losses: Losses): void;
  /** Loses the next chunk (of those that match), cuts its connection, and resolves. */
  cutNext(
    direction: Direction,
    matches?: (chunk: Uint8Array) => boolean,
  ): Promise<void>;
  /** Accepts connections and chunks, and forwards nothing, until `mend`. */
  silence(): void;
  /** Refuses new connections once it resolves, until `mend`. Those that are open stay. */
  refuse(): Promise<void>;
  /** Forwards each chunk this many ms late. */
  delay(ms: number): void;
  /** Ends all faults. What was held back is forwarded. */
  mend(): void;
}

/** Opens a proxy in front of a port. `random` is needed by `cutAtRandom` only. */
export function openProxy(
  target: number,
  { random }: { random?: Random } = {},
): Proxy {
  return new TcpProxy(target, random);
}

/** A chunk that a test asked to lose. */
interface Awaited {
  direction: Direction;
  matches(chunk: Uint8Array): boolean;
  happened(): void;
}

class TcpProxy implements Proxy {
  readonly port: number;
  readonly #target: number;
  readonly #random: Random | undefined;
  readonly #links = new Set<Link>();
  readonly #serving = new Set<Promise<void>>();
  readonly #awaited = new Set<Awaited>();
  readonly #faults: Faults = {
    losses: {},
    delay: 0,
    silence: undefined,
    loses: (direction, chunk) => this.#loses(direction, chunk),
    counts: { connections: 0, cuts: 0, requests: 0, answers: 0, held: 0 },
  };
  #endSilence = () => {};
  #listener: Deno.TcpListener | undefined;
  #accepting: Promise<void> | undefined;

  constructor(target: number, random: Random | undefined) {
    this.#target = target;
    this.#random = random;
    this.#listener = this.#listen(0);
    this.port = this.#listener.addr.port;
  }

  get counts(): Readonly<ProxyCounts> {
    return this.#faults.counts;
  }

  get open(): number {
    return this.#links.size;
  }

  url(ofServer: string): string {
    const url = new URL(ofServer);
    url.host = `127.0.0.1:${this.port}`;
    return url.href;
  }

  cut(): void {
    for (const link of this.#links) link.cut();
  }

  cutAtRandom(losses: Losses): void {
    if (!this.#random) {
      throw new TypeError(
        "Cannot cut at random: openProxy was given no random",
      );
    }
    this.#faults.losses = losses;
  }

  async cutNext(
    direction: Direction,
    matches: (chunk: Uint8Array) => boolean = () => true,
  ): Promise<void> {
    await new Promise<void>((happened) =>
      this.#awaited.add({ direction, matches, happened })
    );
  }

  silence(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endSilence();
    this.#faults.silence = promise;
    this.#endSilence = resolve;
  }

  async refuse(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    // The port is closed when nobody waits for a connection at it any more.
    await this.#accepting;
  }

  delay(ms: number): void {
    this.#faults.delay = ms;
  }

  mend(): void {
    this.#faults.losses = {};
    this.#faults.delay = 0;
    this.#faults.silence = undefined;
    this.#awaited.clear();
    this.#endSilence();
    this.#listener ??= this.#listen(this.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse();
    this.cut();
    this.#endSilence();
    await Promise.all(this.#serving);
  }

  #listen(port: number): Deno.TcpListener {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#accepting = this.#accept(listener);
    return listener;
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    // Ends when the listener is closed.
    for await (const client of listener) {
      const served = this.#serve(client);
      this.#serving.add(served);
      served.finally(() => this.#serving.delete(served));
    }
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    const number = ++this.#faults.counts.connections;
    const link = new Link(client, this.#faults, this.#random, number);
    this.#links.add(link);
    await link.run(this.#target);
    this.#links.delete(link);
  }

  #loses(direction: Direction, chunk: Uint8Array): boolean {
    for (const awaited of this.#awaited) {
      if (awaited.direction !== direction || !awaited.matches(chunk)) continue;
      this.#awaited.delete(awaited);
      awaited.happened();
      return true;
    }
    return false;
  }
}
