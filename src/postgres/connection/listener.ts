/**
 * Listens for changes with LISTEN, while somebody wants it.
 *
 * A pooler may accept LISTEN and deliver nothing. So the listener first sends
 * itself a notification on another connection. Until it arrives, nobody relies
 * on notifications
 * (https://www.pgbouncer.org/features.html#sql-feature-map-for-pooling-modes).
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import { Backoff } from "../../remote/backoff.ts";
import type { Address } from "./address.ts";
import { codeOf } from "./failure.ts";
import type { Link } from "./link.ts";
import type { Links } from "./links.ts";
import { quoteIdentifier } from "../format/triggers.ts";

/** After this many lost test notifications, it tries only now and then. */
const FEW_TRIES = 3;

/** How long a test notification may take, in ms. */
const PROBE_MS = 1_000;

/** The longest pause between tries, in ms. */
const LONGEST_PAUSE_MS = 5_000;
const RARELY_MS = 60_000;

/** How often it checks that the connection is alive, in ms. */
const ALIVE_MS = 15_000;

/** How long it continues to listen when nobody waits, in ms, because most watches are back soon. */
const LINGER_MS = 200;

/** Listens to a channel. */
export class Listener {
  readonly #links: Links;
  readonly #channel: string;
  readonly #address: Address | undefined;
  readonly #onHint: (kind?: string) => void;
  #isWanted = false;
  #isHeard = false;
  #running: Promise<void> | undefined;
  #stop = new AbortController();
  #linger: ReturnType<typeof setTimeout> | undefined;

  /** Takes the connections, the channel, another address to listen at, and the callbacks. */
  constructor(
    links: Links,
    channel: string,
    address: Address | undefined,
    onHint: (kind?: string) => void,
  ) {
    this.#links = links;
    this.#channel = channel;
    this.#address = address;
    this.#onHint = onHint;
  }

  /** Whether every change is certain to be notified, while the connection lasts. */
  get isHeard(): boolean {
    return this.#isHeard;
  }

  /** Says whether anyone waits for changes. */
  want(isWanted: boolean): void {
    this.#isWanted = isWanted;
    clearTimeout(this.#linger);
    if (isWanted) return this.#start();
    this.#linger = setTimeout(() => this.#stop.abort(), LINGER_MS);
    platform.unrefTimer(this.#linger);
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      // Somebody wanted it while it ended.
      if (this.#isWanted && !this.#links.isClosed) this.#start();
    });
  }

  async #run(): Promise<void> {
    let backoff = new Backoff(LONGEST_PAUSE_MS);
    let lost = 0;
    while (this.#isWanted && !this.#links.isClosed) {
      this.#stop = new AbortController();
      const { signal } = this.#stop;
      const ended = await this.#tryListen(signal);
      if (ended === "heard") {
        lost = 0;
        backoff = new Backoff(LONGEST_PAUSE_MS);
      } else if (ended === "lost" && ++lost === FEW_TRIES) {
        backoff = new Backoff(RARELY_MS, RARELY_MS);
      }
      if (!this.#isWanted || signal.aborted) continue;
      await this.#pause(backoff);
    }
  }

  /** Listens. An error of the server, for example of a standby, counts as silence. */
  async #tryListen(signal: AbortSignal): Promise<"heard" | "lost" | "cut"> {
    try {
      return await this.#listen(signal);
    } catch (error) {
      // Meanwhile, the watches look by themselves.
      return codeOf(error) === undefined ? "cut" : "lost";
    }
  }

  /** A pause that does not keep the process running. */
  #pause(backoff: Backoff): Promise<void> {
    const stop = AbortSignal.any([this.#stop.signal, this.#links.closed]);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, backoff.next());
      platform.unrefTimer(timer);
      stop.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      }, { once: true });
    });
  }

  /** Listens until the connection ends, or nobody wants it. Returns whether notifications arrived. */
  async #listen(signal: AbortSignal): Promise<"heard" | "lost"> {
    const probe = crypto.randomUUID();
    const probed = Promise.withResolvers<boolean>();
    const ended = Promise.withResolvers<void>();
    const link = await this.#links.open({
      onNotification: (channel, payload) => {
        if (channel !== this.#channel) return;
        if (payload === probe) probed.resolve(true);
        else this.#onHint(payload || undefined);
      },
      onEnd: () => ended.resolve(),
    }, { address: this.#address });
    const stop = () => ended.resolve();
    signal.addEventListener("abort", stop);
    this.#links.closed.addEventListener("abort", stop);
    try {
      await link.query({ text: `LISTEN ${quoteIdentifier(this.#channel)}` });
      const isHeard = await this.#probe(probe, probed.promise, ended.promise);
      if (!isHeard) return "lost";
      this.#isHeard = true;
      // Changes before it began to listen were not notified.
      this.#onHint();
      await this.#untilEnded(link, ended.promise);
      return "heard";
    } finally {
      this.#isHeard = false;
      signal.removeEventListener("abort", stop);
      this.#links.closed.removeEventListener("abort", stop);
      await link.close();
      // Changes may have come without a notification.
      this.#onHint();
    }
  }

  /** Sends a query now and then, to notice a silent network. */
  async #untilEnded(link: Link, ended: Promise<void>): Promise<void> {
    const timer = setInterval(() => {
      link.query({ text: "SELECT 1" }).catch(() => {});
    }, ALIVE_MS);
    platform.unrefTimer(timer);
    await ended;
    clearInterval(timer);
  }

  async #probe(
    probe: string,
    probed: Promise<boolean>,
    ended: Promise<void>,
  ): Promise<boolean> {
    await this.#links.read({
      text: "SELECT pg_catalog.pg_notify($1, $2)",
      values: [this.#channel, probe],
    }, { patience: 0 });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), PROBE_MS);
      platform.unrefTimer(timer);
    });
    const isHeard = await Promise.race([
      probed,
      late,
      ended.then(() => false),
    ]);
    clearTimeout(timer);
    return isHeard;
  }

  /** Stops listening. Resolves when no part of it runs. */
  async close(): Promise<void> {
    this.#isWanted = false;
    clearTimeout(this.#linger);
    this.#stop.abort();
    await this.#running;
  }
}
