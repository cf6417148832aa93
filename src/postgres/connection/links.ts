/**
 * The connections of a store. Each purpose has its own, which are opened on
 * demand, and again after a cut.
 *
 * @module
 */
import { unlessAborted } from "../../base/promises.ts";
import { StoreClosedError } from "../../contract/errors.ts";
import { sleep } from "../../base/slice.ts";
import { Backoff } from "../../remote/backoff.ts";
import type { Address } from "./address.ts";
import { codeOf, Cut, NameLost, unavailable } from "./failure.ts";
import {
  Link,
  type LinkListener,
  type Query,
  type Row,
  StatementNames,
} from "./link.ts";

/** The settings of the connections. */
export interface LinksOptions {
  readonly address: Address;
  /** How long to wait for an answer, and to retry a read after a cut, in ms. */
  readonly patience: number;
  /** How many connections reads share. */
  readonly size: number;
}

/** The options for opening a connection. */
export interface OpenOptions {
  /** Another address, of the same or another server. */
  readonly address?: Address;
  /** How long it may take, in ms. */
  readonly patience?: number;
}

/** The options of a read. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** How long to retry the read after a cut, in ms. */
  readonly patience?: number;
}

/**
 * Whether the server process `$1` works on a statement. A pooler reports ids of
 * its own. `$2` is the id that it reported for this connection; then any
 * statement with this program's name counts.
 */
const IS_WORKING = `SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity
    WHERE state = 'active' AND pid <> pg_catalog.pg_backend_pid()
    AND (pid = $1 OR $2 <> pg_catalog.pg_backend_pid()
      AND application_name = pg_catalog.current_setting('application_name'))) AS working`;

/** Connecting may always take this long, in ms, because some networks are slow. */
const SHORTEST_PATIENCE_MS = 500;

/** The connections of one store. */
export class Links {
  readonly #options: LinksOptions;
  readonly #names = new StatementNames();
  readonly #open = new Set<Link>();
  /** The connections that reads share, or promises of them. */
  readonly #readers: (Link | Promise<Link>)[] = [];
  readonly #closed = new AbortController();

  /** Takes the settings. */
  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Aborts when the connections close. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Opens a connection for one purpose. The caller closes it. */
  async open(
    listener: LinkListener = {},
    { address = this.#options.address, patience = this.#options.patience }:
      OpenOptions = {},
  ): Promise<Link> {
    const link: Link = await this.#connect(address, patience, {
      isWorking: (processId) => this.#isWorking(processId),
      ...listener,
      onEnd: () => {
        this.#open.delete(link);
        listener.onEnd?.();
      },
    });
    this.#open.add(link);
    return link;
  }

  #connect(
    address: Address,
    patience: number,
    listener: LinkListener,
  ): Promise<Link> {
    return Link.open({
      address,
      connectPatience: Math.max(SHORTEST_PATIENCE_MS, patience),
      patience: Math.max(SHORTEST_PATIENCE_MS, this.#options.patience),
      names: this.#names,
      signal: this.#closed.signal,
      ...listener,
    });
  }

  /** Asks on another connection whether the server still works for a link. */
  async #isWorking(processId: number): Promise<boolean> {
    const { address, patience } = this.#options;
    let link: Link | undefined;
    try {
      link = await this.#connect(address, patience / 2, {});
      const values = [processId, link.processId];
      const [row] = await link.query({ text: IS_WORKING, values });
      return row.working;
    } catch (error) {
      // The server has no free connection, so it is alive.
      return error instanceof Cut && codeOf(error.cause) === "53300";
    } finally {
      await link?.close();
    }
  }

  /** From now on, reads also use this connection, which was opened for one purpose. */
  share(link: Link): void {
    this.#readers.push(link);
  }

  /** Reads. After a cut it retries, until the time is over. */
  async read(
    query: Query,
    { signal, patience = this.#options.patience }: ReadOptions = {},
  ): Promise<Row[]> {
    signal?.throwIfAborted();
    const deadline = performance.now() + patience;
    let backoff: Backoff | undefined;
    for (;;) {
      // Another query, sent at the same time, may be the first to lose its
      // name.
      try {
        const asked = this.#ask(query);
        return await (signal ? unlessAborted(asked, signal) : asked);
      } catch (error) {
        if (this.isClosed) throw new StoreClosedError();
        if (this.losesNames(error)) continue;
        if (!(error instanceof Cut)) throw error;
        if (performance.now() >= deadline) throw unavailable("read", error);
      }
      backoff ??= new Backoff();
      await sleep(backoff.next(deadline), signal ?? this.#closed.signal);
    }
  }

  /** Sends a query on the caller's own link, outside a transaction. */
  async ask(link: Link, query: Query): Promise<Row[]> {
    try {
      return await link.query(query);
    } catch (error) {
      if (!this.losesNames(error)) throw error;
      return await link.query(query);
    }
  }

  /**
   * Whether nothing was done because the server does not know a statement by
   * its name. From then on, statements have no names: send the query again.
   */
  losesNames(error: unknown): boolean {
    if (!(error instanceof NameLost)) return false;
    this.#names.stop();
    return true;
  }

  async #ask(query: Query): Promise<Row[]> {
    const reader = this.#reader();
    // Without a promise if there is a connection, because a turn of the
    // promises would slow down each read.
    return await (reader instanceof Link ? reader : await reader).query(query);
  }

  /** The connection with the fewest outstanding answers; a new one if all have some. */
  #reader(): Link | Promise<Link> {
    let best: Link | undefined;
    let opening: Promise<Link> | undefined;
    for (let i = this.#readers.length - 1; i >= 0; i--) {
      const reader = this.#readers[i];
      if (!(reader instanceof Link)) opening = reader;
      else if (reader.isDead) this.#readers.splice(i, 1);
      else if (!best || reader.pending < best.pending) best = reader;
    }
    if (best?.pending === 0) return best;
    if (!opening && this.#readers.length < this.#options.size) {
      opening = this.#openReader();
    }
    return best ?? opening!;
  }

  #openReader(): Promise<Link> {
    const opening = this.open();
    this.#readers.push(opening);
    const settle = (link?: Link) => {
      this.#readers.splice(
        this.#readers.indexOf(opening),
        1,
        ...(link ? [link] : []),
      );
    };
    opening.then(settle, () => settle());
    return opening;
  }

  /** Closes all connections. Everything that waits is cut. */
  async close(): Promise<void> {
    this.#closed.abort(new StoreClosedError());
    await Promise.allSettled(this.#readers);
    await Promise.all([...this.#open].map((link) => link.close()));
  }
}
