/**
 * Hears of changes by LISTEN, as long as somebody wants to.
 *
 * A pooler may accept LISTEN and deliver nothing. So a notification of its own,
 * which another connection sends, has to arrive first: until then, nobody relies
 * on it (https://www.pgbouncer.org/features.html#sql-feature-map-for-pooling-modes).
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

/** How many times a notification of its own may be lost, before it tries only now and then. */
const FEW_TRIES = 3;

/** How long a notification of its own may take, in ms. */
const PROBE_MS = 1_000;

/** The pauses between tries, in ms. */
const LONGEST_PAUSE_MS = 5_000;
const RARELY_MS = 60_000;

/** How often it asks whether the connection is alive, in ms. */
const ALIVE_MS = 15_000;

/** How long it goes on to listen while nobody waits, in ms: most watches are soon back. */
const LINGER_MS = 200;

/** What listens to a channel. */
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

  /** Takes the connections, the channel, where else to listen, and who is told. */
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

  /** Whether a change is told of for certain, as long as the connection holds. */
  get isHeard(): boolean {
    return this.#isHeard;
  }

  /** Tells whether anyone waits for changes. */
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
      // Somebody wanted it as it ended.
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

  /** Listens; an error of the server, such as a standby's, is as good as silence. */
  async #tryListen(signal: AbortSignal): Promise<"heard" | "lost" | "cut"> {
    try {
      return await this.#listen(signal);
    } catch (error) {
      // Watches look by themselves meanwhile.
      return codeOf(error) === undefined ? "cut" : "lost";
    }
  }

  /** A pause that keeps nothing running. */
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

  /** Listens until the connection ends, or nobody wants it; tells whether it was heard. */
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
      // What was written before it listened was not told.
      this.#onHint();
      await this.#untilEnded(link, ended.promise);
      return "heard";
    } finally {
      this.#isHeard = false;
      signal.removeEventListener("abort", stop);
      this.#links.closed.removeEventListener("abort", stop);
      await link.close();
      // Changes may have come that nobody was told of.
      this.#onHint();
    }
  }

  /** Asks now and then, so that a silent network is noticed. */
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

  /** Listens no more; resolves when nothing of it runs. */
  async close(): Promise<void> {
    this.#isWanted = false;
    clearTimeout(this.#linger);
    this.#stop.abort();
    await this.#running;
  }
}
